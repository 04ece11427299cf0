"""The detector's settings; every field is an environment variable of the same name in capitals."""

from typing import Annotated, Literal

import msgspec
from servicekit.limits import MAX_HOLDS
from servicekit.settings import Address, MaybeHostPort, ServiceSettings

DEGRADED_PX = 320


class DetectorSettings(ServiceSettings, frozen=True, kw_only=True):
    """What the detector can be told. An address is `host:port` or `unix:/path`."""

    inbox_mb: Annotated[int, msgspec.Meta(ge=1)] = 96
    """Memory in MB (10^6 bytes) for photos read but not answered yet, each counted twice; the largest needs 76."""
    detector_listen: Address = "127.0.0.1:50051"
    """Where gRPC is served."""
    detector_metrics_listen: MaybeHostPort = "127.0.0.1:9101"
    """`host:port` of the Prometheus metrics; empty for none."""
    detector_queue: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 16
    """How many photos may wait for the network; more are refused with OVERLOADED."""
    detector_model: str = "yolo11n-seg-holds"
    """The model's name in the manifest."""
    detector_max_pixels: Annotated[int, msgspec.Meta(ge=1)] = 1 << 28
    """Photos with more pixels to decode are refused by their header: a bound on time; that on memory is the budget."""
    models_dir: str = "models"
    """The folder with `manifest.toml` and the model files."""
    yolo_img_size: Literal[320, 480, 640, 704, 960] = 960
    """The network sees as many pixels as a square of this side has, in the photo's shape; these sizes are measured."""
    tiles: Literal[1, 2, 4] = 1
    """Windows into which a photo is cut beside a look at the whole: finds smaller holds in 3 or 5 times the time."""
    degrade: bool = False
    """1 looks at a photo at 320 px rather than refusing it when memory is short; the answer's `degraded` says so."""
    max_image_size: Annotated[int, msgspec.Meta(ge=320, le=4096)] = 1280
    """Longer side in pixels to which photos are decoded; crops and outlines are taken at this size."""
    max_holds: Annotated[int, msgspec.Meta(ge=1, le=MAX_HOLDS)] = 40
    """How many holds are returned where the request does not say, the largest areas first chosen."""
    min_confidence: Annotated[float, msgspec.Meta(ge=0.01, le=1)] = 0.24
    """The least confidence of a returned hold where the request does not say."""
    omp_num_threads: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0
    """Threads of the network; 0 takes as many as this container may use CPUs."""

    @property
    def sides_px(self) -> tuple[int, ...]:
        """The network's sizes: the usual one, and the one to fall back to where that is allowed and smaller."""
        smaller = self.degrade and self.yolo_img_size > DEGRADED_PX
        return (self.yolo_img_size, DEGRADED_PX) if smaller else (self.yolo_img_size,)
