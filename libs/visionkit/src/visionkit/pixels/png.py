"""PNG through Pillow, shrunk by whole pixels in strips.

Pillow takes 4 bytes a pixel where OpenCV takes 6 to 16, and a palette or gray photo stays at 1 or 2.
"""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from servicekit.errors import InvalidImage

from visionkit.container import png
from visionkit.container.spans import SpanReader
from visionkit.photo import PhotoHeader
from visionkit.pixels import alpha
from visionkit.pixels.raster import Raster

_STRIP_ROWS = 64
_MODES = {1: "L", 2: "RGBA", 3: "RGB", 4: "RGBA"}  # Pillow's; a letter is a channel
_16_BIT_GRAY = "I;16"


def decode(data: bytes, header: PhotoHeader, max_side_px: int) -> Raster:
    """Decode at full size, then average blocks of n x n pixels, n the largest that leaves `max_side_px`.

    Memory, in bytes for each pixel of the full size: 4; gray and palette 1, gray with 16 bits 2. The shrunk
    samples come on top, at most 4 times `max_side_px` squared, 1 to 4 bytes each.

    Raises:
        InvalidImage: Truncated, damaged, or not of the size that the header claims.
    """
    image = _load(data)
    if image.size != (header.width, header.height):
        raise InvalidImage("The PNG is not of the size that its header claims.")
    block = max(1, max(image.size) // max_side_px)
    samples = _averaged(image, _MODES[header.channels], block)
    icc = png.icc_profile(data)
    if header.channels == 1:
        return Raster(samples[..., 0], "gray", icc)
    if header.channels == 3:
        return Raster(samples, "rgb", icc)
    alpha.lay_on_white(samples)
    return Raster(samples, "rgba", icc)


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
    rows = block * max(1, _STRIP_ROWS // block)
    for top in range(0, height, rows):
        strip = _converted(image.crop((0, top, width, min(top + rows, height))), mode)
        part = np.asarray(strip.reduce(block))
        averaged[top // block :][: len(part)] = part.reshape(len(part), -1, len(mode))
    return averaged


def _converted(strip: Image.Image, mode: str) -> Image.Image:
    if strip.mode != _16_BIT_GRAY:
        return strip.convert(mode)
    return Image.fromarray(cv2.convertScaleAbs(np.asarray(strip), alpha=255 / 65535))
