"""The gateway's settings; every field is an environment variable of the same name in capitals."""

from typing import Annotated

import msgspec
from servicekit.limits import MAX_HOLDS
from servicekit.settings import Address, ServiceSettings


class GatewaySettings(ServiceSettings, frozen=True, kw_only=True):
    """What the gateway can be told. An address is `host:port` or `unix:/path`."""

    inbox_mb: Annotated[int, msgspec.Meta(ge=1)] = 128
    """Memory in MB (10^6 bytes) for photos: a fifth for those over HTTP, at least 26; over gRPC each counts 5 times."""
    max_holds: Annotated[int, msgspec.Meta(ge=1, le=MAX_HOLDS)] = 40
    """How many holds are asked for where the request does not say."""
    gateway_answers_mb: Annotated[int, msgspec.Meta(ge=22, le=4096)] = 48
    """Memory in MB (10^6 bytes) for the detector's answers, 21 for one of 300 holds; photos wait for it."""
    gateway_listen: Address = "127.0.0.1:8000"
    """Where HTTP is served."""
    gateway_grpc_listen: Address = "127.0.0.1:50050"
    """Where the gRPC `AnalyzerService` is served."""
    gateway_detector_target: str = "127.0.0.1:50051"
    """The detector, as a gRPC name; `dns:///name:port` spreads calls over all replicas."""
    gateway_colorizer_target: str = "127.0.0.1:50052"
    """The colorizer, likewise."""
    gateway_chunk_holds: Annotated[int, msgspec.Meta(ge=1, le=300)] = 40
    """How many crops one call to the colorizer carries."""
    gateway_color_calls: Annotated[int, msgspec.Meta(ge=1, le=256)] = 4
    """How many calls to the colorizer run at once, over all requests; about twice the number of its replicas."""
    gateway_max_in_flight: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 64
    """How many analyses are worked on at once; more are refused with OVERLOADED."""
    gateway_upload_deadline_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 60.0
    """The longest that a photo's upload may take."""
    gateway_upload_grace_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 5.0
    """How long an upload may send nothing."""
    gateway_min_upload_bytes_per_s: Annotated[int, msgspec.Meta(ge=1)] = 16_384
    """The slowest that an upload may be after its grace; it holds memory that others need."""
    gateway_max_connections: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 512
    """How many HTTP connections are served at once; a few more may ask for health, and the rest are closed."""
    gateway_head_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 10.0
    """How long a connection may take to send the head of a request."""
    gateway_results_mb: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 4
    """Memory in MB (10^6 bytes) for results that may be asked for again; the oldest are forgotten for newer ones."""
    gateway_remember_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 600.0
    """How long a job is known, and the same photo with the same parameters answered by it; 0 computes all anew."""
    gateway_api_keys_file: str = ""
    """A file of API keys, one `name sha256` a line (`python -m gateway.keys NAME` makes them); empty asks for none."""
    gateway_photos_per_minute: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 60.0
    """How many photos or corrections a minute each API key may send in the long run."""
    gateway_photos_burst: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 30
    """How many of them each API key may send at once."""
    gateway_cors_origins: str = ""
    """Origins whose pages may call the API from browsers, separated by commas; `*` for all, empty for none."""
    gateway_feedback_file: str = "feedback.db"
    """The SQLite file that corrections are stored in, made with the first answer; `none` takes none."""
    gateway_feedback_mb: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 64
    """How large that file may grow, in MB (10^6 bytes); a quarter is for the answers that may be corrected."""
    gateway_feedback_per_minute: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 120
    """How many corrections a minute are taken from callers without API keys, from all together, or at once."""

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """The origins one by one."""
        return tuple(origin.strip() for origin in self.gateway_cors_origins.split(",") if origin.strip())
