"""Draws an analysis on its photo: every hold's outline in its color, a label for every problem.

Readable on any wall: a line is cased in black or white, whichever its own color stands out from.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from climbmate_client.answers import Analysis, Hold, Rgb
from climbmate_client.labels import place_labels

_UNCOLORED: Rgb = (160, 160, 160)
_SMOOTHING = 2  # drawn this many times larger, then reduced: Pillow draws without antialiasing
_FILL_ALPHA = 56
_LINE_SHARE = 1 / 640  # of the longer side
_TEXT_SHARE = 1 / 64
_JPEG_END = b"\xff\xd9"  # what broke off has none, and Pillow would show nothing of it
_XMP = ("xmp", "XML:com.adobe.xmp")  # Pillow's names for it


@dataclass(frozen=True, slots=True)
class _Pen:
    """Sizes in pixels of the enlarged drawing, and the way from the photo's coordinates to it."""

    scale: float
    line_px: int
    text_px: int

    def points(self, hold: Hold) -> list[tuple[float, float]]:
        return [(x * self.scale, y * self.scale) for x, y in hold.polygon]


def draw(
    photo: bytes, analysis: Analysis, *, palette: Mapping[str, Rgb] | None = None, longer_side_px: int = 2048
) -> Image.Image:
    """Draw an analysis on its photo.

    Example:
        >>> overlay = draw(Path("wall.jpg").read_bytes(), analysis, longer_side_px=600)
        >>> overlay.save("overlay.png")
        >>> overlay.size
        (600, 450)

    Args:
        photo: The photo file that was analyzed; HEIC needs the extra `heic`.
        analysis: What was found in it.
        palette: The color to draw each color name with; names that it lacks are drawn as photographed.
        longer_side_px: The longer side of the result; a smaller photo keeps its size.

    Returns:
        An RGB image, upright; gray behind the outlines where the photo is too damaged for Pillow.

    Raises:
        PIL.UnidentifiedImageError: Pillow cannot read the photo.
    """
    try:
        base = _upright(photo, longer_side_px)
    except UnidentifiedImageError:
        raise
    except OSError:  # a photo that is damaged, of which climbmate sees more than Pillow
        base = _blank(analysis, longer_side_px)
    large_wh = (base.width * _SMOOTHING, base.height * _SMOOTHING)
    longer_px = max(large_wh)
    pen = _Pen(
        scale=large_wh[0] / max(1, analysis.image.width),
        line_px=max(2, round(longer_px * _LINE_SHARE)),
        text_px=max(10 * _SMOOTHING, round(longer_px * _TEXT_SHARE)),
    )
    layer = Image.new("RGBA", large_wh)
    canvas = ImageDraw.Draw(layer)
    for hold in sorted(analysis.holds, key=lambda hold: -hold.area_px):  # small holds on top of volumes
        _draw_hold(canvas, pen, hold, _color_of(hold, palette or {}))
    _draw_labels(canvas, pen, analysis, palette or {}, large_wh)
    base.paste(small := layer.resize(base.size, Image.Resampling.BOX), mask=small)
    return base


def _upright(photo: bytes, longer_side_px: int) -> Image.Image:
    """Decode at most as large as needed, and turn as the camera was held."""
    _register_heic()
    with Image.open(io.BytesIO(photo + _JPEG_END)) as image:
        for packet in _XMP:
            image.info.pop(packet, None)  # which way up it says is passed over, as browsers and climbmate do
        image.draft("RGB", (longer_side_px, longer_side_px))  # JPEG only: decodes at the smallest scale that serves
        image.thumbnail((longer_side_px, longer_side_px))
        return ImageOps.exif_transpose(image).convert("RGB")


def _blank(analysis: Analysis, longer_side_px: int) -> Image.Image:
    """Gray, of the shape of the photo."""
    width, height = analysis.image.width, analysis.image.height
    scale = min(1.0, longer_side_px / max(width, height))
    return Image.new("RGB", (max(1, round(width * scale)), max(1, round(height * scale))), _UNCOLORED)


def _register_heic() -> None:
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - optional
    except ImportError:
        return
    register_heif_opener()


def _color_of(hold: Hold, palette: Mapping[str, Rgb]) -> Rgb:
    if hold.color is None:
        return _UNCOLORED
    return palette.get(hold.color.name) or hold.color.rgb or _UNCOLORED


def _casing(color: Rgb) -> Rgb:
    """Black for light colors, white for dark ones."""
    red, green, blue = color
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 96 else (255, 255, 255)


def _draw_hold(canvas: ImageDraw.ImageDraw, pen: _Pen, hold: Hold, color: Rgb) -> None:
    points = pen.points(hold)
    closed = [*points, *points[:2]]  # two points more, so that the last corner is joined as well
    canvas.polygon(points, fill=(*color, _FILL_ALPHA))
    canvas.line(closed, fill=_casing(color), width=pen.line_px * 3, joint="curve")
    canvas.line(closed, fill=color, width=pen.line_px + pen.line_px // 2, joint="curve")


def _draw_labels(
    canvas: ImageDraw.ImageDraw,
    pen: _Pen,
    analysis: Analysis,
    palette: Mapping[str, Rgb],
    canvas_wh: tuple[int, int],
) -> None:
    font = ImageFont.load_default(pen.text_px)
    holds = {hold.id: hold for hold in analysis.holds}
    margin_px = pen.text_px // 3
    sizes_wh = {}
    for problem in analysis.problems:
        left, top, right, bottom = canvas.textbbox((0, 0), problem.id, font=font)
        sizes_wh[problem.id] = (right - left + 2 * margin_px, bottom - top + 2 * margin_px)
    corners = place_labels(analysis, sizes_wh, scale=pen.scale, canvas_wh=canvas_wh)
    for problem in analysis.problems:
        color = _color_of(holds[problem.hold_ids[0]], palette)
        (x, y), (width, height) = corners[problem.id], sizes_wh[problem.id]
        box = (x, y, x + width, y + height)
        canvas.rounded_rectangle(box, radius=margin_px, fill=color, outline=_casing(color), width=pen.line_px)
        canvas.text((x + width / 2, y + height / 2), problem.id, fill=_casing(color), font=font, anchor="mm")
