"""`python -m detector`: load the network, then serve."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from climbmate.status.v1 import status_pb2
from servicekit import settings as environment
from servicekit.cpus import available_cpus
from servicekit.limits import MAX_PHOTO_BYTES
from servicekit.pressure import Pressure
from servicekit.receipts import stage
from servicekit.server import Lifecycle, Loaded, Service, StartError, run
from servicekit.work import Worker
from visionkit import manifest, threads
from visionkit.errors import ModelError
from visionkit.session import OnnxModel

from detector import canvas
from detector.finder import HoldFinder
from detector.model import HoldNetwork
from detector.room import Room
from detector.servicer import DetectorServicer
from detector.settings import DetectorSettings

PHOTOS_AT_ONCE = 2  # one is decoded while the network, which takes all the CPUs there are, looks at the other
PARAMETERS_BYTES = 64 * 1024  # far more than what a request says beside its photo
SERVICE_NAME = detector_pb2.DESCRIPTOR.services_by_name["DetectorService"].full_name


def load(settings: DetectorSettings, pressure: Pressure | None = None) -> tuple[HoldFinder, status_pb2.ModelInfo]:
    """Load and warm the network that the settings name.

    Raises:
        StartError: The file is missing, is not the listed one, or is no hold network.
    """
    cpus = settings.omp_num_threads or available_cpus()
    threads.limit(cpus)
    sides_px = settings.sides_px
    try:
        entry = manifest.load(Path(settings.models_dir)).model(settings.detector_model)
        session = OnnxModel(
            entry.verified_path("network"),
            threads=cpus,
            dims={"batch": 1},
            sizes=canvas.sizes(sides_px),
            pressure=pressure,
        )
        network = HoldNetwork(session, sides_px)
    except ModelError as error:
        raise StartError(str(error)) from error
    info = status_pb2.ModelInfo(name=entry.name, version=entry.version, sha256=entry.files["network"].sha256)
    finder = HoldFinder(
        network,
        max_side_px=settings.max_image_size,
        max_pixels=settings.detector_max_pixels,
        tiles=settings.tiles,
    )
    finder.warm_up()
    return finder, info


@contextlib.asynccontextmanager
async def opened(settings: DetectorSettings, lifecycle: Lifecycle) -> AsyncIterator[Loaded]:
    """What the detector serves, for as long as it lives."""
    with stage("load"):
        finder, info = load(settings, lifecycle.pressure)
    budget = lifecycle.settle(queue_limit=settings.detector_queue)
    worker = Worker(threads=PHOTOS_AT_ONCE, queue_limit=settings.detector_queue)
    lifecycle.queues.append(lambda: worker.queued)
    servicer = DetectorServicer(
        finder,
        worker,
        Room(budget, finder, lifecycle.pressure),
        info,
        max_holds=settings.max_holds,
        min_confidence=settings.min_confidence,
    )

    def register(server: grpc.aio.Server) -> None:
        detector_pb2_grpc.add_DetectorServiceServicer_to_server(servicer, server)

    try:
        yield Loaded(register, (SERVICE_NAME,), (info,))
    finally:
        worker.close()


def main() -> int:
    """Run until a signal; the exit code."""
    settings = environment.load(DetectorSettings, prefix="DETECTOR_")
    return run(
        Service(
            name="detector",
            settings=settings,
            listen=settings.detector_listen,
            metrics_listen=settings.detector_metrics_listen,
            open=lambda lifecycle: opened(settings, lifecycle),
            max_request_bytes=MAX_PHOTO_BYTES + PARAMETERS_BYTES,
            kept_buffer_bytes=8 << 20,  # decoded photo and network input, 3.7 and 4.9 MB at 640 px
            request_copies=2,  # the message, and the photo read out of it
        )
    )


if __name__ == "__main__":
    sys.exit(main())
