"""What a good engineer builds in an afternoon: one process, FastAPI, ONNX Runtime: `python -m bench.one_process`.

The same files, decoder, networks, sizes and batches as the services, and the same answer. Models are loaded and warm
before the port opens, work runs in FastAPI's threads, ONNX Runtime has its defaults but for the number of threads. What
it lacks is what the services are for: a bound on the memory that requests take together.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort
import uvicorn
from colorizer import palette
from colorizer.colorist import Colorist, HoldCrop, NamedColor
from colorizer.model import ImageTower
from colorizer.settings import ColorizerSettings
from colorizer.text import Prompts
from detector.finder import HoldFinder, Query
from detector.model import HoldNetwork
from detector.pipeline import KINDS, FoundHold
from detector.settings import DetectorSettings
from fastapi import FastAPI, Request
from numpy.typing import NDArray
from servicekit.cancel import CancelToken
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from visionkit import manifest, threads
from visionkit.session import TensorSpec

_MODELS = Path(__file__).parents[1] / "models"
_DTYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}


class PlainSession:
    """A session with ONNX Runtime's defaults; its shapes stay open but for those that are named."""

    is_fixed = True  # the detector's: a square, as usual

    def __init__(self, path: Path, cpus: int, dims: Mapping[str, int]) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = cpus
        for name, size in dims.items():
            options.add_free_dimension_override_by_name(name, size)
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = {
            node.name: TensorSpec(tuple(node.shape), np.dtype(_DTYPES[node.type]))
            for node in self._session.get_inputs()
        }
        self.outputs = [node.name for node in self._session.get_outputs()]

    def run(self, feeds: Mapping[str, NDArray[Any]], *, token: CancelToken | None = None) -> list[NDArray[Any]]:  # noqa: ARG002
        """Run once."""
        outputs: list[NDArray[Any]] = self._session.run(self.outputs, dict(feeds))
        return outputs


class Vision:
    """Both networks and all that belongs to them."""

    def __init__(self, cpus: int) -> None:
        threads.limit(cpus)
        models, detector, colorizer = manifest.load(_MODELS), DetectorSettings(), ColorizerSettings()
        side_px = detector.yolo_img_size
        network = models.model(detector.detector_model).verified_path("network")
        session = PlainSession(network, cpus, {"batch": 1, "height": side_px, "width": side_px})
        self._finder = HoldFinder(
            HoldNetwork(session), max_side_px=detector.max_image_size, max_pixels=detector.detector_max_pixels
        )
        clip = models.model(colorizer.clip_model)
        tower = ImageTower(clip.verified_path("image"), batch_size=colorizer.clip_batch_size, threads=cpus)
        self._colorist = Colorist(tower, palette.load(clip.verified_path("palette")), Prompts(None, threads=cpus))
        self._defaults = (detector.max_holds, detector.min_confidence)
        self._finder.warm_up()
        self._colorist.warm_up()

    def analyze(self, photo: bytes) -> bytes:
        """Find the holds and name their colors; the answer as JSON."""
        query, token = Query(photo, *self._defaults, with_crops=True), CancelToken()
        found = self._finder.find(query, self._finder.read_header(query), token=token)
        crops = [
            HoldCrop(i, hold.crop_rgb, hold.mask) for i, hold in enumerate(found.holds) if hold.crop_rgb is not None
        ]
        colors = self._colorist.name(crops, token=token)
        holds = [_told(hold, color) for hold, color in zip(found.holds, colors, strict=True)]
        return msgspec.json.encode({"image": found.shown_wh, "holds": holds})


def build(cpus: int) -> FastAPI:
    """The whole application."""
    vision, app = Vision(cpus), FastAPI()

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/api/analyze")
    async def analyze(request: Request) -> Response:
        photo = await request.body()
        return Response(await run_in_threadpool(vision.analyze, photo), media_type="application/json")

    return app


def _told(hold: FoundHold, color: NamedColor) -> dict[str, object]:
    return {
        "kind": KINDS[hold.kind],
        "confidence": hold.confidence,
        "box": hold.box_xyxy.tolist(),
        "polygon": hold.polygon.tolist(),
        "area_px": hold.area_px,
        "color": {"name": color.name, "confidence": color.confidence, "rgb": color.rgb},
    }


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cpus", type=int, default=2)
    args = parser.parse_args()
    uvicorn.run(build(args.cpus), host="127.0.0.1", port=args.port, log_level="warning")


if __name__ == "__main__":
    main()
