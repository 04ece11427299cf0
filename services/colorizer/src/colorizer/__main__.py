"""`python -m colorizer`: load the model, then serve."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import grpc
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.status.v1 import status_pb2
from servicekit import settings as environment
from servicekit.cpus import available_cpus
from servicekit.pressure import Pressure
from servicekit.receipts import stage
from servicekit.server import Lifecycle, Loaded, Service, StartError, run
from servicekit.work import Worker
from visionkit import manifest
from visionkit.errors import ModelError

from colorizer import palette
from colorizer.colorist import Colorist
from colorizer.model import ImageTower
from colorizer.servicer import ColorizerServicer
from colorizer.settings import ColorizerSettings
from colorizer.text import Prompts, TextFiles

MAX_REQUEST_BYTES = 9_000_000  # 300 crops of 96 by 96 pixels and the longest palette are 8.7 MB
SERVICE_NAME = colorizer_pb2.DESCRIPTOR.services_by_name["ColorizerService"].full_name


def load(settings: ColorizerSettings, pressure: Pressure | None = None) -> tuple[Colorist, status_pb2.ModelInfo]:
    """Load and warm the model that the settings name.

    Raises:
        StartError: A model file is missing, is not the listed one, or does not fit the others.
    """
    cpus = settings.omp_num_threads or available_cpus()
    cv2.setNumThreads(1)  # waking a second thread takes longer than the work on a hold
    try:
        entry = manifest.load(Path(settings.models_dir)).model(settings.clip_model)
        colors = palette.load(entry.verified_path("palette"))
        image = entry.verified_path("image")
        tower = ImageTower(image, batch_size=settings.clip_batch_size, threads=cpus, pressure=pressure)
        dim = colors.choice.embeddings.shape[1]
        if tower.dim != dim:
            raise ModelError(f"model {entry.name}: embeddings of {tower.dim} and {dim} numbers")
        prompts = Prompts(_text_files(entry), threads=cpus)
    except ModelError as error:
        raise StartError(str(error)) from error
    colorist = Colorist(tower, colors, prompts)
    colorist.warm_up()
    info = status_pb2.ModelInfo(name=entry.name, version=entry.version, sha256=entry.files["image"].sha256)
    return colorist, info


def _text_files(entry: manifest.ModelEntry) -> TextFiles | None:
    """The files for palettes of a caller's own; a model may lack them."""
    if "text" not in entry.files:
        return None
    return TextFiles(entry.verified_path("text"), entry.verified_path("vocabulary"))


@contextlib.asynccontextmanager
async def opened(settings: ColorizerSettings, lifecycle: Lifecycle) -> AsyncIterator[Loaded]:
    """What the colorizer serves, for as long as it lives."""
    with stage("load"):
        colorist, info = load(settings, lifecycle.pressure)
    budget = lifecycle.settle(queue_limit=settings.colorizer_queue)
    worker = Worker(threads=1, queue_limit=settings.colorizer_queue)  # one run takes all the CPUs there are
    lifecycle.queues.append(lambda: worker.queued)
    servicer = ColorizerServicer(colorist, worker, budget, info)

    def register(server: grpc.aio.Server) -> None:
        colorizer_pb2_grpc.add_ColorizerServiceServicer_to_server(servicer, server)

    try:
        yield Loaded(register, (SERVICE_NAME,), (info,))
    finally:
        worker.close()


def main() -> int:
    """Run until a signal; the exit code."""
    settings = environment.load(ColorizerSettings, prefix="COLORIZER_")
    return run(
        Service(
            name="colorizer",
            settings=settings,
            listen=settings.colorizer_listen,
            metrics_listen=settings.colorizer_metrics_listen,
            open=lambda lifecycle: opened(settings, lifecycle),
            max_request_bytes=MAX_REQUEST_BYTES,
            request_copies=2,  # the message, and the pixels read out of it
        )
    )


if __name__ == "__main__":
    sys.exit(main())
