"""The colorizer's settings; every field is an environment variable of the same name in capitals."""

from typing import Annotated

import msgspec
from servicekit.settings import Address, MaybeHostPort, ServiceSettings


class ColorizerSettings(ServiceSettings, frozen=True, kw_only=True):
    """What the colorizer can be told. An address is `host:port` or `unix:/path`."""

    colorizer_listen: Address = "127.0.0.1:50052"
    """Where gRPC is served."""
    colorizer_metrics_listen: MaybeHostPort = "127.0.0.1:9102"
    """`host:port` of the Prometheus metrics; empty for none."""
    colorizer_queue: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 64
    """How many calls may wait for the model; more are refused with OVERLOADED."""
    models_dir: str = "models"
    """The folder with `manifest.toml` and the model files."""
    clip_model: str = "climbmate-clip"
    """The model's name in the manifest."""
    clip_batch_size: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    """How many holds go through the network at once; peak memory grows with it, and with nothing else."""
    omp_num_threads: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0
    """Threads of the network; 0 takes as many as this container may use CPUs."""
