import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import numpy as np
import onnx
import pytest
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.hold.v1 import hold_pb2
from climbmate.status.v1 import status_pb2
from colorizer import tokenizer
from colorizer.colorist import Colorist, HoldCrop
from colorizer.model import ImageTower
from colorizer.palette import Choice, Palette
from colorizer.servicer import ColorizerServicer
from colorizer.text import Prompts, TextFiles
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from servicekit.budget import MemoryBudget
from servicekit.cancel import CancelToken
from servicekit.channel import open_channel
from servicekit.interceptor import RequestInterceptor
from servicekit.limits import MAX_MESSAGE_BYTES
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.metrics import Metrics
from servicekit.work import Worker
from visionkit import masks

REPOSITORY = Path(__file__).parents[3]
VOCABULARY = REPOSITORY / "models" / "clip-vocabulary.txt.gz"
TOY_COLORS = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}
TOY_BATCH = 4
TOY_SIDE_PX = 8


def write_toy_tower(path: Path) -> Path:
    """A network whose embedding is the direction of a crop's mean color."""
    nodes = [
        helper.make_node("Cast", ["crops"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("LpNormalization", ["mean"], ["embeddings"], axis=1, p=2),
    ]
    shape = ["batch", TOY_SIDE_PX, TOY_SIDE_PX, 3]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", 3])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def a_toy_palette() -> Palette:
    rgb = np.array(list(TOY_COLORS.values()), np.float32)
    choice = Choice(
        names=tuple(TOY_COLORS),
        embeddings=rgb / np.linalg.norm(rgb, axis=1, keepdims=True),
        logit_scale=20.0,
        min_confidence=0.5,
    )
    return Palette(
        choice, prompts=tuple(f"a {name} climbing hold" for name in TOY_COLORS), display_rgb=rgb.astype(np.uint8)
    )


def write_toy_text_tower(path: Path, vocabulary: Path) -> Path:
    """A network whose embedding is the direction of the sum of the named colors; strange words count nothing."""
    table = np.zeros((49408, 3), np.float32)
    for (_, token, _), rgb in zip(tokenizer.encode(vocabulary, list(TOY_COLORS)), TOY_COLORS.values(), strict=True):
        table[token] = rgb
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["each"]),
        helper.make_node("ReduceSum", ["each", "axis"], ["sum"], keepdims=0),
        helper.make_node("LpNormalization", ["sum"], ["embeddings"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "toy text",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", 77])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1]), "axis")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.fixture
def toy_text(tmp_path: Path) -> TextFiles:
    return TextFiles(write_toy_text_tower(tmp_path / "text.onnx", VOCABULARY), VOCABULARY)


@pytest.fixture
def wordy_colorist(toy_tower: ImageTower, toy_palette: Palette, toy_text: TextFiles) -> Colorist:
    """With a text tower."""
    return Colorist(toy_tower, toy_palette, Prompts(toy_text, threads=1))


@pytest.fixture
def toy_tower_path(tmp_path: Path) -> Path:
    return write_toy_tower(tmp_path / "toy.onnx")


@pytest.fixture
def toy_palette() -> Palette:
    return a_toy_palette()


@pytest.fixture
def toy_tower(toy_tower_path: Path) -> ImageTower:
    return ImageTower(toy_tower_path, batch_size=TOY_BATCH, threads=1)


class HeldTower(ImageTower):
    """A tower whose first call lasts until its caller leaves."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, batch_size=TOY_BATCH, threads=1)
        self.begun, self.left = threading.Event(), threading.Event()

    def embed(self, crops_rgb, *, token: CancelToken | None = None):
        if not self.begun.is_set():
            self.begun.set()
            token.on_cancel(self.left.set)
            assert self.left.wait(5), "nobody left"
            token.raise_if_cancelled()
        return super().embed(crops_rgb, token=token)


@pytest.fixture
def held_tower(toy_tower_path: Path) -> HeldTower:
    return HeldTower(toy_tower_path)


@pytest.fixture
def toy_colorist(toy_tower: ImageTower, toy_palette: Palette) -> Colorist:
    return Colorist(toy_tower, toy_palette, Prompts(None, threads=1))


def a_disc(rgb: tuple[int, int, int], *, width: int = 40, height: int = 30) -> tuple[NDArray, NDArray]:
    """A plain ellipse on a gray wall, and its mask."""
    rows, columns = np.mgrid[:height, :width]
    mask = ((columns - width / 2) / (width / 2)) ** 2 + ((rows - height / 2) / (height / 2)) ** 2 < 0.8
    pixels = np.full((height, width, 3), 128, np.uint8)
    pixels[mask] = rgb
    return pixels, mask


@pytest.fixture
def disc() -> Callable[..., HoldCrop]:
    """Make a crop of a plain disc."""

    def make(rgb: tuple[int, int, int], hold_id: int = 0, **size: int) -> HoldCrop:
        return HoldCrop(hold_id, *a_disc(rgb, **size))

    return make


@pytest.fixture
def message() -> Callable[..., colorizer_pb2.Crop]:
    """Make the message of a plain disc; keyword arguments spoil it."""

    def make(color: tuple[int, int, int], hold_id: int = 0, **spoiled) -> colorizer_pb2.Crop:
        pixels, mask = a_disc(color)
        fields = {"width": mask.shape[1], "height": mask.shape[0], "bits": masks.pack(mask), "rgb": pixels.tobytes()}
        fields |= spoiled
        content = fields.pop("rgb")
        return colorizer_pb2.Crop(hold_id=hold_id, rgb=content, mask=hold_pb2.Mask(**fields))

    return make


@pytest.fixture
def serve(tmp_path: Path):
    """Serve a colorist on a Unix socket with the real interceptor; yields a stub on a real channel."""

    @contextlib.asynccontextmanager
    async def start(
        colorist: Colorist, *, budget: MemoryBudget | None = None
    ) -> AsyncIterator[colorizer_pb2_grpc.ColorizerServiceStub]:
        memory = MemoryMeter(MemoryLimit(0, None))
        worker = Worker(threads=1, queue_limit=8)
        model = status_pb2.ModelInfo(name="toy", version="1", sha256="00")
        unlimited = MemoryBudget(0, queue_limit=8)
        interceptor = RequestInterceptor(
            Metrics(memory), memory, deadline_s=5.0, inbox=unlimited, max_request_bytes=MAX_MESSAGE_BYTES
        )
        server = grpc.aio.server(interceptors=[interceptor])
        servicer = ColorizerServicer(colorist, worker, budget or unlimited, model)
        colorizer_pb2_grpc.add_ColorizerServiceServicer_to_server(servicer, server)
        target = f"unix:{tmp_path}/colorizer.sock"
        server.add_insecure_port(target)
        await server.start()
        try:
            async with open_channel(target) as channel:
                yield colorizer_pb2_grpc.ColorizerServiceStub(channel)
        finally:
            await server.stop(0)
            worker.close()

    return start
