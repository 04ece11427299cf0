"""What the gateway knows of a photo, whatever the transport. Coordinates are pixels of the photo as shown."""

from dataclasses import dataclass
from typing import Literal

UNKNOWN = "unknown"
"""The color name of a hold whose color could not be told."""
MIN_HOLDS = 3
"""A start, a hold on the way and a top; fewer is not a problem unless the caller says so."""
MIN_HOLDS_FROM, MIN_HOLDS_TO = 2, 50
"""What a caller may say."""

HoldKind = Literal["hold", "volume"]
Lack = Literal["colors", "resolution", "damaged"]
"""What an answer may lack."""
StageName = Literal["received", "detecting", "coloring", "grouping", "done"]
Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max."""
Rgb = tuple[int, int, int]
"""Red, green, blue of sRGB, 0 to 255 each."""


@dataclass(frozen=True, slots=True)
class ColorPrompt:
    """A color of a caller's palette: the name to answer with, and what to look for in words; "" for the name alone."""

    name: str
    prompt: str = ""


CallersPalette = tuple[ColorPrompt, ...]
"""The colors that a caller wants holds to be named by; empty for the colorizer's own."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to look for; None leaves the choice to the detector's settings, no palette to the colorizer.

    `min_holds` make a problem.
    """

    max_holds: int | None = None
    min_confidence: float | None = None
    min_holds: int = MIN_HOLDS
    palette: CallersPalette = ()


@dataclass(frozen=True, slots=True)
class PhotoSize:
    """The photo as shown, pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Mask:
    """The cells of a grid over a hold's box that belong to the hold; packed as `climbmate.hold.v1.Mask` says."""

    width: int
    height: int
    bits: bytes


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold or volume. `polygon_xy` is flat: x0, y0, x1, y1, ..., at least 3 points."""

    id: int
    kind: HoldKind
    confidence: float
    box: Box
    polygon_xy: tuple[float, ...]
    area_px: int
    mask: Mask


@dataclass(frozen=True, slots=True)
class Crop:
    """A hold's pixels for the colorizer: RGB8, row by row, on the grid of its mask."""

    hold_id: int
    mask: Mask
    rgb: bytes


@dataclass(frozen=True, slots=True)
class ColorGuess:
    """A name that a color may have, and its probability."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Color:
    """A hold's color.

    `reason` says why the name is `unknown` and is empty otherwise; `guesses` are the two best names where none was
    probable enough; `rgb` is None without pixels.
    """

    name: str
    confidence: float
    rgb: Rgb | None
    reason: str = ""
    guesses: tuple[ColorGuess, ...] = ()


@dataclass(frozen=True, slots=True)
class PaletteColor:
    """One color that the colorizer may answer with."""

    name: str
    prompts: tuple[str, ...]
    display: Rgb


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a service answers with."""

    name: str
    version: str
    sha256: str

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What a service says about itself; memory in bytes, without a limit 0.

    `waiting` calls are among those `in_flight`; `requests_per_s` and the percentiles are of the last seconds, `refused`
    (for load or memory) counts since its start.
    """

    serves: bool
    version: str
    models: tuple[Model, ...]
    memory_used_bytes: int
    memory_limit_bytes: int
    memory_floor_bytes: int
    in_flight: int
    uptime_s: float
    waiting: int = 0
    requests_per_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage of a service's work cost."""

    name: str
    duration_ms: float
    memory_before_bytes: int
    memory_after_bytes: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The stages of one service's work."""

    service: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a photo, as `climbmate.hold.v1.Light` says; neutral by default."""

    red: float = 0.0
    blue: float = 0.0


@dataclass(frozen=True, slots=True)
class Detection:
    """The detector's answer. The i-th crop belongs to the i-th hold; who colors the crops takes them out."""

    size: PhotoSize
    holds: tuple[Hold, ...]
    crops: list[Crop]
    model: Model
    stages: tuple[Stage, ...]
    reduced_resolution: bool = False
    light: Light = Light()
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Looks:
    """What colors are named by beside the crops: the photo's light, and the caller's palette if there is one."""

    light: Light = Light()
    palette: CallersPalette = ()


@dataclass(frozen=True, slots=True)
class Coloring:
    """The colorizer's answer for one chunk: colors by hold id."""

    colors: dict[int, Color]
    model: Model
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A boulder problem: holds of one color, ids ascending. Lengths are shares of the wall's height.

    Attributes:
        rgb: The median of its holds' photographed colors; None when none was measured.
        confidence: The mean over its holds of their own times their color's confidence, 0 to 1.
        height_span: From its lowest to its highest edge.
        reach_mean: Between the centers of neighboring holds, along the shortest tree that joins all.
        reach_max: The longest of these.
        small_share: How many of its holds are small, 0 to 1.
    """

    id: str
    color: str
    hold_ids: tuple[int, ...]
    box: Box
    rgb: Rgb | None
    confidence: float
    height_span: float
    reach_mean: float
    reach_max: float
    small_share: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall-clock milliseconds."""

    decode_ms: float
    detect_ms: float
    color_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that is known about a photo. `colors` lacks the holds that the colorizer did not answer for."""

    request_id: str
    size: PhotoSize
    holds: tuple[Hold, ...]
    colors: dict[int, Color]
    problems: tuple[Problem, ...]
    degraded: tuple[Lack, ...]
    models: dict[str, Model]
    timings: Timings
    receipts: tuple[Receipt, ...]

    @property
    def may_improve(self) -> bool:
        """Whether the same photo may be answered in full another time; what is lost of its file stays lost."""
        return any(lack != "damaged" for lack in self.degraded)


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage has begun; `percent` never falls and ends at 100."""

    stage: StageName
    percent: int


@dataclass(frozen=True, slots=True)
class HoldsFound:
    """The outlines are known; at most once, before any color."""

    size: PhotoSize
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class ColorsFound:
    """The colors of one chunk by hold id; every hold comes at most once."""

    colors: dict[int, Color]


Event = Progress | HoldsFound | ColorsFound | Analysis
"""One step of an analysis; an `Analysis` is always the last."""
