"""WebP through OpenCV, which takes half the memory of Pillow's decoder for animations."""

import cv2
import numpy as np
from servicekit.errors import InvalidImage

from visionkit.container import webp
from visionkit.photo import PhotoHeader
from visionkit.pixels import alpha
from visionkit.pixels.cost import Cost
from visionkit.pixels.raster import Raster

_LOSSLESS_SAMPLES_PER_PX = 3
_COLOR = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


def decode(data: bytes, header: PhotoHeader, _max_side_px: int) -> Raster:
    """Decode at full size; OpenCV does not offer libwebp's scaled decoding.

    Raises:
        InvalidImage: Truncated or damaged, or not of the size that the header claims.
    """
    try:
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), _COLOR if header.channels == 3 else cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise InvalidImage("The WebP cannot be decoded.") from error
    if samples is None:
        raise InvalidImage("The WebP is truncated or damaged.")
    if samples.shape != (header.height, header.width, header.channels):
        raise InvalidImage("The WebP is not of the size that its header claims.")
    icc = webp.icc_profile(data)
    if header.channels == 3:
        return Raster(samples, "rgb", icc)
    alpha.lay_on_white(samples)
    return Raster(cv2.cvtColor(samples, cv2.COLOR_BGRA2RGBA, dst=samples), "rgba", icc)


def cost(header: PhotoHeader, _max_side_px: int) -> Cost:
    """The samples at full size, and libwebp's own: measured as 3 bytes a pixel lossy, 4 lossless, 5 with alpha."""
    lossless = header.samples_per_px >= _LOSSLESS_SAMPLES_PER_PX
    own_bytes = 5 if header.channels == 4 else 4 if lossless else 3
    samples = header.channels * header.pixels
    return Cost(samples + own_bytes * header.pixels, samples)
