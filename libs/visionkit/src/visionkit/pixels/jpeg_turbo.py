"""JPEGs whose sampling TurboJPEG knows, at n/8 of their size."""

import numpy as np
import simplejpeg

from visionkit.container import jpeg_damage
from visionkit.container.jpeg_layout import Layout
from visionkit.photo import PhotoHeader
from visionkit.pixels.cost import Cost
from visionkit.pixels.jpeg_samples import FILLING, Decoded

_COLORSPACES = {1: "GRAY", 3: "RGB", 4: "CMYK"}


def decode(file: Layout, header: PhotoHeader, max_side_px: int) -> Decoded:
    """Decode to (H, W, C) uint8 samples; those that are lost are gray."""
    width, height = _scaled_wh(header, max_side_px)
    samples = np.full((height, width, header.channels), FILLING, np.uint8)
    least = {"min_width": max_side_px} if header.width >= header.height else {"min_height": max_side_px}
    try:
        simplejpeg.decode_jpeg(file.data, _COLORSPACES[header.channels], strict=True, buffer=samples, **least)
    except ValueError as error:  # a warning is told after the last row, an error after those before it
        return Decoded(samples, damaged=jpeg_damage.is_told_by(str(error), file))
    return Decoded(samples, damaged=False)


def cost(header: PhotoHeader, max_side_px: int) -> Cost:
    """The samples, nothing else."""
    width, height = _scaled_wh(header, max_side_px)
    samples = header.channels * width * height
    return Cost(samples, samples)


def _scaled_wh(header: PhotoHeader, max_side_px: int) -> tuple[int, int]:
    """Width and height at the smallest n/8 whose longer side is at least `max_side_px`."""
    longer = max(header.width, header.height)
    eighths = next(n for n in range(1, 9) if n == 8 or _scaled(longer, n) >= max_side_px)
    return _scaled(header.width, eighths), _scaled(header.height, eighths)


def _scaled(side: int, eighths: int) -> int:
    return -(-side * eighths // 8)
