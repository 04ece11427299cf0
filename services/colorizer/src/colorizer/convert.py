"""Between protobuf messages and the service's own types."""

from collections.abc import Iterator, Sequence

import numpy as np
from climbmate.colorizer.v1 import colorizer_pb2
from climbmate.hold.v1 import hold_pb2
from servicekit import palettes
from servicekit.errors import InvalidParameter
from servicekit.limits import MAX_HOLDS
from visionkit import masks
from visionkit.light import STRONGEST, Light

from colorizer.colorist import MAX_SIDE_PX, BadCrop, HoldCrop, NamedColor
from colorizer.palette import PROMPT, Palette, Prompt


def check(request: colorizer_pb2.ColorHoldsRequest) -> None:
    """Refuse a request that is out of bounds as a whole.

    Raises:
        InvalidParameter: More crops than a photo can have holds, or a palette that is none.
    """
    count = len(request.crops)
    if count > MAX_HOLDS:
        raise InvalidParameter(
            f"A request may carry at most {MAX_HOLDS} crops.",
            details={"crops": f"must be at most {MAX_HOLDS}, not {count}"},
        )
    palettes.check([color.name for color in request.palette], [color.prompt for color in request.palette])


def to_palette(request: colorizer_pb2.ColorHoldsRequest) -> tuple[Prompt, ...]:
    """The caller's palette; empty for the service's own."""
    return tuple(Prompt(color.name, color.prompt or PROMPT.format(color.name)) for color in request.palette)


def to_crops(request: colorizer_pb2.ColorHoldsRequest) -> Iterator[HoldCrop | BadCrop]:
    """Read the crops one at a time, so that never more than one of them is in memory twice."""
    for message in request.crops:
        yield _to_crop(message)


def to_light(request: colorizer_pb2.ColorHoldsRequest) -> Light:
    """The light of the photo, within what a lamp can be."""
    red, blue = (max(-STRONGEST, min(STRONGEST, value)) for value in (request.light.red, request.light.blue))
    return Light(red, blue)


def _to_crop(message: colorizer_pb2.Crop) -> HoldCrop | BadCrop:
    width, height = message.mask.width, message.mask.height
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        return BadCrop(message.hold_id, f"The mask is {width} by {height} pixels; 1 to {MAX_SIDE_PX} are allowed.")
    rgb = message.rgb  # reading the field copies it
    if len(rgb) != width * height * 3:
        return BadCrop(
            message.hold_id, f"{width} by {height} pixels take {width * height * 3} bytes of rgb, not {len(rgb)}."
        )
    try:
        mask = masks.unpack(message.mask.bits, width, height)
    except ValueError as error:
        return BadCrop(message.hold_id, f"The mask cannot be read: {error}.")
    return HoldCrop(message.hold_id, np.frombuffer(rgb, np.uint8).reshape(height, width, 3), mask)


def from_colors(colors: Sequence[NamedColor]) -> list[colorizer_pb2.HoldColor]:
    """The answers, in order."""
    return [colorizer_pb2.HoldColor(hold_id=color.hold_id, color=_from_color(color)) for color in colors]


def _from_color(color: NamedColor) -> hold_pb2.Color:
    return hold_pb2.Color(
        name=color.name,
        confidence=color.confidence,
        rgb=_from_rgb(color.rgb) if color.rgb else None,
        unknown_reason=color.unknown_reason,
        guesses=[hold_pb2.ColorGuess(name=guess.name, confidence=guess.confidence) for guess in color.guesses],
    )


def _from_rgb(rgb: Sequence[int]) -> hold_pb2.Rgb:
    return hold_pb2.Rgb(red=rgb[0], green=rgb[1], blue=rgb[2])


def from_palette(palette: Palette) -> colorizer_pb2.GetPaletteResponse:
    """The palette, in its order."""
    rows = zip(palette.choice.names, palette.prompts, palette.display_rgb.tolist(), strict=True)
    return colorizer_pb2.GetPaletteResponse(
        colors=[
            colorizer_pb2.PaletteColor(name=name, prompts=[prompt], display=_from_rgb(rgb))
            for name, prompt, rgb in rows
        ]
    )
