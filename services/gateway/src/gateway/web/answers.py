"""The JSON of the HTTP API."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from servicekit.limits import MAX_HOLDS
from servicekit.palettes import MAX_COLORS

from gateway import domain

Point = tuple[float, float]
Channel = Annotated[int, Meta(ge=0, le=255)]
Pixel = Annotated[float, Meta(ge=0, le=1_000_000)]
Side = Annotated[int, Meta(ge=1, le=1_000_000)]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^\w[^\x00-\x1f\x7f]*(?!\n)$")]
"""A color's, on one line; what begins with a sign would be a formula to the program that opens the export."""
NO_ANSWER = "The colorizer did not answer in time."
"""The reason of a color that is unknown because the colorizer failed; `degraded` holds `colors` then."""

encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything that is answered, so that a decoder of these types notices what does not belong."""


class Size(Answer, frozen=True):
    """The photo as shown, after its EXIF orientation, in pixels; all coordinates refer to it."""

    width: int
    height: int


class ColorGuess(Answer, frozen=True):
    """A name that a color may have, and its probability."""

    name: str
    confidence: float


class Color(Answer, frozen=True, omit_defaults=True):
    """A name of the palette, or `unknown` with a reason; `rgb` is the hold's median color as photographed.

    `guesses` are the two most probable names where none was probable enough to be the answer.
    """

    name: str
    confidence: float
    rgb: domain.Rgb | None
    reason: str = ""
    guesses: tuple[ColorGuess, ...] = ()


class FoundHold(Answer, frozen=True):
    """A hold without its color; `box` is x_min, y_min, x_max, y_max."""

    id: int
    kind: domain.HoldKind
    confidence: float
    box: domain.Box
    polygon: list[Point]
    area_px: int


class Hold(FoundHold, frozen=True):
    """A hold with its color and the problem that it belongs to, if any."""

    color: Color
    problem_id: str | None


class Problem(Answer, frozen=True):
    """A boulder problem: holds of one color, and the smallest box around them.

    `rgb` is the median of its holds' colors as photographed; `confidence` the mean over its holds of the hold's times
    its color's confidence. `height_span` and the reaches between neighboring holds are shares of the wall's height, and
    the wall is the box around all that was found; `small_share` is the share of its holds that are small.
    """

    id: str
    color: str
    hold_ids: list[int]
    hold_count: int
    box: domain.Box
    rgb: domain.Rgb | None
    confidence: float
    height_span: float
    reach_mean: float
    reach_max: float
    small_share: float


class Models(Answer, frozen=True):
    """Name and version of the models; the colorizer's is null when it was not needed or did not answer."""

    detector: str
    colorizer: str | None


class Timings(Answer, frozen=True):
    """Milliseconds; `total` runs from the last byte of the photo to the answer."""

    decode: float
    detect: float
    color: float
    total: float


class Stage(Answer, frozen=True):
    """What one stage of a service's work cost."""

    name: str
    ms: float
    memory_before_bytes: int
    memory_after_bytes: int


class Receipt(Answer, frozen=True):
    """What one service's work cost; its model's sha256 where it has a model."""

    service: str
    model_sha256: str | None
    stages: list[Stage]


class Analysis(Answer, frozen=True):
    """Everything that is known about a photo; holds most confident first, problems most holds first."""

    request_id: str
    image: Size
    holds: list[Hold]
    problems: list[Problem]
    degraded: list[domain.Lack]
    models: Models
    timings_ms: Timings
    receipts: list[Receipt]


class Failure(Answer, frozen=True):
    """What went wrong: `code` for programs, `message` for people, `details` with the reason, parameters, figures."""

    code: str
    message: str
    request_id: str
    details: dict[str, str]


class JobReport(Answer, frozen=True, omit_defaults=True):
    """How far a job is: `running`, `done` with its result, or `failed` with its error."""

    id: str
    status: Literal["running", "done", "failed"]
    stage: domain.StageName
    percent: int
    message: str
    events_url: str
    result: Analysis | None = None
    error: Failure | None = None


class BatchLine(Answer, frozen=True, omit_defaults=True):
    """One photo of a batch: its place in the form, from 0, its file name, and its result or its error."""

    index: int
    name: str
    result: Analysis | None = None
    error: Failure | None = None


class BatchEnd(Answer, frozen=True, omit_defaults=True):
    """The last line of a batch: how many photos there were and failed, and why the rest could not be read, if so."""

    photos: int
    failed: int
    error: Failure | None = None


class ProgressEvent(Answer, frozen=True):
    """A stage has begun; `percent` never falls and ends at 100."""

    stage: domain.StageName
    percent: int
    message: str


class HoldsEvent(Answer, frozen=True):
    """The outlines, as soon as they are known."""

    image: Size
    holds: list[FoundHold]


class HoldColor(Answer, frozen=True):
    """The color of one hold."""

    hold_id: int
    color: Color


class ColorsEvent(Answer, frozen=True):
    """The colors of one chunk of holds."""

    colors: list[HoldColor]


class FeedbackPhoto(Answer, frozen=True):
    """The photo as shown, in pixels."""

    width: Side
    height: Side


class Feedback(Answer, frozen=True, kw_only=True):
    """A hold's color as somebody sees it (`unknown` for none of the palette's), and what had been answered.

    `palette` has the names that the analysis was asked to choose from; without it they were the colorizer's own.
    """

    request_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    hold_id: Annotated[int, Meta(ge=0, le=MAX_HOLDS - 1)]
    color: Name
    palette: Annotated[tuple[Name, ...], Meta(max_length=MAX_COLORS)] = ()
    was: Name | None = None
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    rgb: tuple[Channel, Channel, Channel] | None = None
    box: tuple[Pixel, Pixel, Pixel, Pixel] | None = None
    image: FeedbackPhoto | None = None
    photo_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None


class FeedbackKept(Answer, frozen=True):
    """The correction that was stored."""

    request_id: str
    hold_id: int
    color: str


class PaletteColor(Answer, frozen=True):
    """A color that `color.name` may be, the prompts that stand for it, and the RGB to draw it with."""

    name: str
    prompts: list[str]
    rgb: domain.Rgb


class Palette(Answer, frozen=True):
    """All color names but `unknown`."""

    colors: list[PaletteColor]
