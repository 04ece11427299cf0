"""PNG through Pillow, shrunk by whole pixels in strips.

Pillow takes 4 bytes a pixel where OpenCV takes 6 to 16, and a palette or gray photo stays at 1 or 2.
"""

import io
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from servicekit.errors import InvalidImage

from visionkit.container import png
from visionkit.container.spans import SpanReader
from visionkit.photo import PhotoHeader
from visionkit.pixels import alpha
from visionkit.pixels.cost import Cost
from visionkit.pixels.raster import Raster

_STRIP_ROWS = 64
_STRIP_COPIES = 2  # cut out and converted
_MODES = {1: "L", 2: "RGBA", 3: "RGB", 4: "RGBA"}  # Pillow's; a letter is a channel
_16_BIT_GRAY = "I;16"


def decode(data: bytes, header: PhotoHeader, max_side_px: int) -> Raster:
    """Decode at full size, then average blocks of n x n pixels, n the largest that leaves `max_side_px`.

    Raises:
        InvalidImage: Truncated, damaged, or not of the size that the header claims.
    """
    image = _load(data)
    if image.size != (header.width, header.height):
        raise InvalidImage("The PNG is not of the size that its header claims.")
    samples = _averaged(image, _MODES[header.channels], _block_px(header, max_side_px))
    icc = png.icc_profile(data)
    if header.channels == 1:
        return Raster(samples[..., 0], "gray", icc)
    if header.channels == 3:
        return Raster(samples, "rgb", icc)
    alpha.lay_on_white(samples)
    return Raster(samples, "rgba", icc)


def cost(header: PhotoHeader, max_side_px: int) -> Cost:
    """The full size as Pillow keeps it, a strip of it, and the shrunk samples.

    Pillow takes 4 bytes for a pixel of color, 1 for gray and palettes, 2 for gray with 16 bits.
    """
    block = _block_px(header, max_side_px)
    px_bytes = 4 if header.samples_per_px > 1 else max(1, header.bit_depth // 8)
    strip_px = min(header.height, _strip_rows(block)) * header.width
    samples = ceil(header.width / block) * ceil(header.height / block) * len(_MODES[header.channels])
    return Cost(px_bytes * (header.pixels + _STRIP_COPIES * strip_px) + samples, samples)


def _block_px(header: PhotoHeader, max_side_px: int) -> int:
    return max(1, max(header.width, header.height) // max_side_px)


def _strip_rows(block_px: int) -> int:
    """A multiple of the block, near 64."""
    return block_px * max(1, _STRIP_ROWS // block_px)


def _load(data: bytes) -> Image.Image:
    """Decode without `Image.open`, whose limit on pixels is one for the whole process."""
    chunks = io.BufferedReader(SpanReader(png.pixel_chunks(data)))
    try:
        image = PngImagePlugin.PngImageFile(chunks)
        image.load()
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise InvalidImage("The PNG is truncated or damaged.") from error
    return image


def _averaged(image: Image.Image, mode: str, block: int) -> NDArray[np.uint8]:
    """Convert and shrink in strips, so that nothing but `image` exists at full size."""
    width, height = image.size
    averaged = np.empty((-(-height // block), -(-width // block), len(mode)), np.uint8)
    rows = _strip_rows(block)
    for top in range(0, height, rows):
        strip = _converted(image.crop((0, top, width, min(top + rows, height))), mode)
        part = np.asarray(strip.reduce(block))
        averaged[top // block :][: len(part)] = part.reshape(len(part), -1, len(mode))
    return averaged


def _converted(strip: Image.Image, mode: str) -> Image.Image:
    if strip.mode != _16_BIT_GRAY:
        return strip.convert(mode)
    return Image.fromarray(cv2.convertScaleAbs(np.asarray(strip), alpha=255 / 65535))
