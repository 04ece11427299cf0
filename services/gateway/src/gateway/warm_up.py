"""Takes one answer of the most and largest holds through the gateway before the first caller comes.

So the memory right after the start is a true floor, and the first photo finds everything in place, as in the model
services.
"""

from collections.abc import Sequence

from climbmate.colorizer.v1 import colorizer_pb2
from climbmate.detector.v1 import detector_pb2
from climbmate.hold.v1 import hold_pb2
from servicekit.budget import MemoryBudget
from servicekit.limits import MAX_HOLDS

from gateway import convert
from gateway.coloring import Scatter
from gateway.deadline import Deadline
from gateway.domain import Coloring, Crop, Detection, Looks, Options, PaletteColor
from gateway.photo import Photo
from gateway.pipeline import Analyzer
from gateway.web.told import Teller

_SIDE_PX = 96
_POINTS = 60
_LIMIT_S = 30.0


class _Crowd:
    """Both model services: a wall of the most holds, all red."""

    def __init__(self) -> None:
        self._answer = detector_pb2.DetectHoldsResponse(
            photo_size=hold_pb2.PhotoSize(width=4032, height=3024), holds=map(_hold, range(MAX_HOLDS))
        ).SerializeToString()

    async def detect(self, photo: Photo, options: Options, *, timeout_s: float) -> Detection:  # noqa: ARG002
        """Answer at once."""
        return convert.detection(detector_pb2.DetectHoldsResponse.FromString(self._answer))

    async def color(self, crops: Sequence[Crop], looks: Looks, *, timeout_s: float) -> Coloring:  # noqa: ARG002
        """Answer at once."""
        convert.color_request(crops, looks)
        red = hold_pb2.Color(name="red", confidence=1, rgb=hold_pb2.Rgb(red=196, green=38, blue=44))
        colors = [colorizer_pb2.HoldColor(hold_id=crop.hold_id, color=red) for crop in crops]
        return convert.coloring(colorizer_pb2.ColorHoldsResponse(colors=colors))

    async def palette(self, *, timeout_s: float) -> tuple[PaletteColor, ...]:  # noqa: ARG002
        """Answer with no colors."""
        return ()


async def warm_up(chunk_holds: int) -> None:
    """Analyze the crowd and write its answer in every form."""
    crowd = _Crowd()
    analyzer = Analyzer(
        crowd,
        Scatter(crowd, chunk_holds=chunk_holds, calls=1),
        answers=MemoryBudget(0, queue_limit=0),
        max_holds=MAX_HOLDS,
        observe=lambda _: None,
    )
    deadline = Deadline.after(_LIMIT_S)
    teller = Teller()
    async for event in analyzer.analyze(Photo(b""), Options(), deadline=deadline, request_id="warm-up"):
        convert.step(event).SerializeToString()
        teller.told(event)


def _hold(number: int) -> detector_pb2.DetectedHold:
    x, y = 100.5 + number, 200.25 + number
    hold = hold_pb2.Hold(
        id=number,
        kind=hold_pb2.HOLD_KIND_HOLD,
        confidence=0.9,
        box=hold_pb2.Box(x_min=x, y_min=y, x_max=x + _SIDE_PX, y_max=y + _SIDE_PX),
        polygon=hold_pb2.Polygon(xy=[x + point for point in range(2 * _POINTS)]),
        area_px=5000,
        mask=hold_pb2.Mask(width=_SIDE_PX, height=_SIDE_PX, bits=bytes(_SIDE_PX * _SIDE_PX // 8)),
    )
    return detector_pb2.DetectedHold(hold=hold, crop_rgb=bytes(3 * _SIDE_PX * _SIDE_PX))
