import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import cv2
import grpc
import numpy as np
import onnx
import pytest
from climbmate.detector.v1 import detector_pb2_grpc
from climbmate.status.v1 import status_pb2
from detector.finder import HoldFinder
from detector.model import HoldNetwork
from detector.room import Room
from detector.servicer import DetectorServicer
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from servicekit.budget import MemoryBudget
from servicekit.cancel import Cancelled, CancelToken
from servicekit.channel import open_channel
from servicekit.interceptor import RequestInterceptor
from servicekit.limits import MAX_MESSAGE_BYTES
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.metrics import Metrics
from servicekit.pressure import Pressure
from servicekit.work import Worker
from visionkit.session import OnnxModel

TOY_SIDE_PX = 320
TOY_CELL_PX = 8
TOY_BOX_PX = 56


def write_toy_network(path: Path) -> Path:
    """A network that takes red for holds: a box around every cell redder than its neighbors."""
    cells = TOY_SIDE_PX // TOY_CELL_PX
    centers = (np.arange(cells, dtype=np.float32) + 0.5) * TOY_CELL_PX
    boxes = np.stack([*np.meshgrid(centers, centers), *np.full((2, cells, cells), TOY_BOX_PX, np.float32)])
    coefficients = np.zeros((1, 32, cells**2), np.float32)
    coefficients[:, 0] = 1
    constants = {
        "boxes": boxes.reshape(1, 4, -1),
        "no_volume": np.zeros((1, 1, cells**2), np.float32),
        "coefficients": coefficients,
        "redness": np.array([1, -0.5, -0.5], np.float32).reshape(1, 3, 1, 1),
        "column": np.array([1, 1, -1]),
        "threshold": np.array(0.15, np.float32),
        "other_planes": np.zeros((1, 31, TOY_SIDE_PX // 4, TOY_SIDE_PX // 4), np.float32),
    }
    nodes = [
        helper.make_node("AveragePool", ["images"], ["coarse"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["coarse", "redness"], ["red"]),
        helper.make_node("MaxPool", ["red"], ["reddest"], kernel_shape=[7, 7], pads=[3, 3, 3, 3]),
        helper.make_node("Equal", ["red", "reddest"], ["is_peak"]),
        helper.make_node("Cast", ["is_peak"], ["peak"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["red", "peak"], ["peak_red"]),
        helper.make_node("Reshape", ["peak_red", "column"], ["hold"]),
        helper.make_node("Concat", ["boxes", "hold", "no_volume", "coefficients"], ["output0"], axis=1),
        helper.make_node("AveragePool", ["images"], ["fine"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["fine", "redness"], ["fine_red"]),
        helper.make_node("Sub", ["fine_red", "threshold"], ["plane"]),
        helper.make_node("Concat", ["plane", "other_planes"], ["output1"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, TOY_SIDE_PX, TOY_SIDE_PX])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("output0", "output1")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


class HeldSession:
    """A session whose runs can be held until they are let go, or their caller leaves."""

    def __init__(self, session: OnnxModel) -> None:
        self.inputs, self.outputs, self.is_fixed = session.inputs, session.outputs, session.is_fixed
        self.begun, self.left = threading.Event(), threading.Event()
        self._session, self._free = session, threading.Event()
        self._free.set()

    def hold(self) -> None:
        self.begun.clear()
        self._free.clear()

    def let_go(self) -> None:
        self._free.set()

    def run(self, feeds, *, token: CancelToken | None = None):
        self.begun.set()
        end_s = time.monotonic() + 10  # so that a test that fails also ends
        while not self._free.wait(0.005) and time.monotonic() < end_s:
            if token and token.cancelled:
                self.left.set()
                raise Cancelled
        return self._session.run(feeds, token=token)


@pytest.fixture
def held_session(tmp_path: Path) -> Iterator[HeldSession]:
    session = HeldSession(OnnxModel(write_toy_network(tmp_path / "toy.onnx"), threads=1, dims={}))
    yield session
    session.let_go()


@pytest.fixture
def toy_network(tmp_path: Path) -> HoldNetwork:
    return HoldNetwork(OnnxModel(write_toy_network(tmp_path / "toy.onnx"), threads=1, dims={}))


@pytest.fixture
def toy_finder(toy_network: HoldNetwork) -> HoldFinder:
    return HoldFinder(toy_network, max_side_px=1280, max_pixels=50_000_000)


def a_wall(*centers_xy: tuple[int, int], width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A gray wall (RGB) with red holds of 40 px, each reddest in the middle."""
    wall = np.full((height, width, 3), 114, np.uint8)
    for k, (x, y) in enumerate(centers_xy):
        for radius in range(20, 0, -4):
            strength = 0.4 + 0.25 * (1 - radius / 20) + 0.05 * k
            color = [int(114 + 140 * strength), int(114 * (1 - strength)), int(114 * (1 - strength))]
            wall[y - radius : y + radius, x - radius : x + radius] = color
    return wall


def as_jpeg(rgb: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()


@pytest.fixture
def wall() -> Callable[..., bytes]:
    """Make the JPEG of a plain wall with red holds."""
    return lambda *centers_xy, **size: as_jpeg(a_wall(*centers_xy, **size))


@pytest.fixture
def wall_rgb() -> Callable[..., NDArray[np.uint8]]:
    return a_wall


@pytest.fixture
def jpeg() -> Callable[[NDArray[np.uint8]], bytes]:
    return as_jpeg


@pytest.fixture
def serve(tmp_path: Path):
    """Serve a finder on a Unix socket with the real interceptor; yields a stub on a real channel."""

    @contextlib.asynccontextmanager
    async def start(
        finder: HoldFinder,
        *,
        budget: MemoryBudget | None = None,
        pressure: Pressure | None = None,
        queue_limit: int = 8,
        deadline_s: float = 5.0,
    ) -> AsyncIterator[detector_pb2_grpc.DetectorServiceStub]:
        memory = MemoryMeter(MemoryLimit(0, None))
        worker = Worker(threads=1, queue_limit=queue_limit)
        unlimited = MemoryBudget(0, queue_limit=8)
        interceptor = RequestInterceptor(
            Metrics(memory), memory, deadline_s=deadline_s, inbox=unlimited, max_request_bytes=MAX_MESSAGE_BYTES
        )
        limits = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        server = grpc.aio.server(interceptors=[interceptor], options=limits)
        model = status_pb2.ModelInfo(name="toy", version="1", sha256="00")
        room = Room(budget or unlimited, finder, pressure)
        servicer = DetectorServicer(finder, worker, room, model, max_holds=40, min_confidence=0.3)
        detector_pb2_grpc.add_DetectorServiceServicer_to_server(servicer, server)
        target = f"unix:{tmp_path}/detector.sock"
        server.add_insecure_port(target)
        await server.start()
        try:
            async with open_channel(target) as channel:
                yield detector_pb2_grpc.DetectorServiceStub(channel)
        finally:
            await server.stop(0)
            worker.close()

    return start
