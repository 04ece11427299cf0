"""What the gateway answers, as frozen values: the same from HTTP and from gRPC.

Fields that a newer gateway adds are ignored, so that an older client keeps working. Coordinates are pixels of the photo
as shown (after its EXIF orientation), x to the right, y down.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

Rgb = tuple[int, int, int]
Box = tuple[float, float, float, float]


class Image(Struct, frozen=True):
    """The photo's size in pixels, as shown."""

    width: int
    height: int


class ColorGuess(Struct, frozen=True):
    """A name of the palette and how probable it is, 0 to 1."""

    name: str
    confidence: float


class Color(Struct, frozen=True, omit_defaults=True):
    """The color of a hold's material.

    `name` is a name of the palette or `unknown` (then `reason` says why); `confidence` is 0 to 1; `rgb` is the median
    color as photographed, 0 to 255 each, or None when there were no pixels to measure; `guesses` are the two most
    probable names where none was probable enough to be the answer.
    """

    name: str
    confidence: float
    rgb: Rgb | None = None
    reason: str | None = None
    guesses: tuple[ColorGuess, ...] = ()


class Hold(Struct, frozen=True):
    """A hold or a volume.

    `kind` is `hold` or `volume`; `box` is x_min, y_min, x_max, y_max; `polygon` has at least 3 points, the last joins
    the first; `color` is None only in the step of a stream that tells outlines; `problem_id` is None when the hold
    belongs to no problem.
    """

    id: int
    kind: str
    confidence: float
    box: Box
    polygon: tuple[tuple[float, float], ...]
    area_px: int
    color: Color | None = None
    problem_id: str | None = None


class Problem(Struct, frozen=True):
    """A boulder problem: holds of one color. `hold_ids` ascend; `box` is the smallest around its holds.

    `rgb` is the median of its holds' colors as photographed, None when none was measured; `confidence` is 0 to 1.
    `height_span` and the reaches between neighboring holds are shares of the wall's height; `small_share` is the share
    of its holds that are small. A gateway that does not tell them leaves them 0.
    """

    id: str
    color: str
    hold_ids: tuple[int, ...]
    hold_count: int
    box: Box
    rgb: Rgb | None = None
    confidence: float = 0.0
    height_span: float = 0.0
    reach_mean: float = 0.0
    reach_max: float = 0.0
    small_share: float = 0.0


class Stage(Struct, frozen=True):
    """What one stage of a service's work cost: wall-clock milliseconds, memory working set before and after."""

    name: str
    ms: float
    memory_before_bytes: int
    memory_after_bytes: int


class Receipt(Struct, frozen=True):
    """The stages of one service's work in their order; `model_sha256` is None for a service without a model."""

    service: str
    stages: tuple[Stage, ...]
    model_sha256: str | None = None


class Analysis(Struct, frozen=True):
    """All that is known about a photo: holds (most confident first) and problems (most holds first).

    `degraded` lists what could not be given (`colors`, `resolution` when small holds may be missing, `damaged` when
    parts of the photo's file are lost, or nothing); `models` maps a service to the model it used, None when it was not
    needed or did not answer; `timings_ms` has `decode`, `detect`, `color` and `total`, wall-clock milliseconds in the
    services; `receipts` tells what each service's work cost, stage by stage.
    """

    request_id: str
    image: Image
    holds: tuple[Hold, ...]
    problems: tuple[Problem, ...]
    degraded: tuple[str, ...] = ()
    models: Mapping[str, str | None] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    receipts: tuple[Receipt, ...] = ()

    def to_json(self) -> bytes:
        """Give the answer as indented JSON in the shape of the HTTP API."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


class PaletteColor(Struct, frozen=True):
    """A color name that answers use, the prompts that stand for it, and the RGB (0 to 255) to draw it with."""

    name: str
    prompts: tuple[str, ...]
    rgb: Rgb


class Memory(Struct, frozen=True):
    """A service's memory working set in bytes: now, its limit (0 for none), and right after it had started.

    `level` is `normal`, or from 60, 80 and 90 % of the limit on `elevated`, `high` and `critical`.
    """

    used_bytes: int
    limit_bytes: int = 0
    floor_bytes: int = 0
    level: str = "normal"


class Lately(Struct, frozen=True):
    """How a service's calls went: ended in each of the last 10 seconds, percentiles of the last minute.

    `refused` counts those refused for load or memory since its start.
    """

    requests_per_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    refused: int = 0


class ServiceHealth(Struct, frozen=True):
    """Whether a service serves now, and what it last said of itself; `memory` is None until it first answers.

    `in_flight` counts the calls that it works on, `waiting` those of them that wait for memory or for a thread.
    """

    serving: bool
    version: str = ""
    models: tuple[str, ...] = ()
    memory: Memory | None = None
    in_flight: int = 0
    waiting: int = 0
    lately: Lately | None = None


class Health(Struct, frozen=True):
    """How the gateway and the services behind it are.

    `status` is `serving` (all well), `degraded` (photos are analyzed, but without colors) or `unavailable`.
    """

    serving: bool
    status: str
    services: Mapping[str, ServiceHealth]
