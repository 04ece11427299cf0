"""The shape of what the network sees: as many pixels as a square has, in the shape of the photo.

Phone photos are 4:3. In a square, a quarter of the network's work goes into gray padding; a canvas of their own shape
shows them a seventh larger in the same time and memory.
"""

from collections.abc import Mapping, Sequence

STRIDE_PX = 32
"""The network halves its input five times; sides are multiples of this."""

MOST_OBLONG = 2.0
"""What is more oblong is padded to this: canvases stay few, and near the shapes that the network was trained on."""


def canvas_wh(width: int, height: int, side_px: int) -> tuple[int, int]:
    """The canvas on which a picture of at least 1 x 1 pixels appears largest.

    Args:
        width: of the picture.
        height: of the picture.
        side_px: of the square whose area the canvas may have, a multiple of `STRIDE_PX`.

    Returns:
        Width and height, multiples of `STRIDE_PX`; neither is more than `MOST_OBLONG` times the other.
    """
    return max(_canvases(side_px), key=lambda wh: (min(wh[0] / width, wh[1] / height), -wh[0] * wh[1]))


def sizes(sides_px: Sequence[int]) -> Mapping[str, Sequence[int]]:
    """Every height and width that canvases can have, those of the first square first; see `OnnxModel`."""
    lengths = [*sides_px, *(length for side_px in sides_px for wh in _canvases(side_px) for length in wh)]
    return {name: tuple(dict.fromkeys(lengths)) for name in ("height", "width")}


def _canvases(side_px: int) -> list[tuple[int, int]]:
    """The largest canvas of every width."""
    cells = (side_px // STRIDE_PX) ** 2
    pairs = ((across, cells // across) for across in range(1, cells + 1))
    return [
        (across * STRIDE_PX, down * STRIDE_PX)
        for across, down in pairs
        if max(across, down) <= MOST_OBLONG * min(across, down)
    ]
