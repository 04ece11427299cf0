"""JPEGs whose sampling TurboJPEG refuses and libjpeg itself decodes, at 1, 1/2, 1/4 or 1/8 of their size."""

import io

import numpy as np
from PIL import JpegImagePlugin
from servicekit.errors import InvalidImage

from visionkit.container.jpeg_layout import Layout
from visionkit.photo import PhotoHeader
from visionkit.pixels.cost import Cost
from visionkit.pixels.jpeg_samples import FILLING, Decoded

_OWN_PX_BYTES = 4


def decode(file: Layout, header: PhotoHeader, max_side_px: int) -> Decoded:
    """Decode to (H, W, C) uint8 samples.

    Pillow passes libjpeg's warnings over: only rows that are missing at the bottom are noticed.

    Raises:
        InvalidImage: libjpeg gives up.
    """
    part = _denominator(header, max_side_px)
    try:
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(file.data))  # `Image.open` has a limit for the whole process
        image.draft(None, (max(1, image.width // part), max(1, image.height // part)))
        samples = np.array(image).reshape(image.height, image.width, header.channels)
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise InvalidImage("The JPEG is damaged.") from error
    if header.channels == 4:
        np.subtract(255, samples, out=samples)  # Pillow turns Adobe's inks around
    return Decoded(samples, damaged=bool((samples[-1] == FILLING).all()))


def cost(header: PhotoHeader, max_side_px: int) -> Cost:
    """The samples as Pillow keeps them, and twice on their way out."""
    part = _denominator(header, max_side_px)
    pixels = -(-header.width // part) * -(-header.height // part)
    return Cost((_OWN_PX_BYTES + 2 * header.channels) * pixels, header.channels * pixels)


def _denominator(header: PhotoHeader, max_side_px: int) -> int:
    longer = max(header.width, header.height)
    return next(part for part in (8, 4, 2, 1) if part == 1 or -(-longer // part) >= max_side_px)
