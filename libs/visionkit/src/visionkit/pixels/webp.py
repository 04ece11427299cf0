"""PNG and WebP through OpenCV, which decodes both in less memory than Pillow does."""

from collections.abc import Callable

import cv2
import numpy as np
from servicekit.errors import InvalidImage

from visionkit.container import png, webp
from visionkit.photo import PhotoHeader
from visionkit.pixels import alpha
from visionkit.pixels.raster import Raster, Samples

_STORED_ORIENTATION = cv2.IMREAD_IGNORE_ORIENTATION
_PROFILES: dict[str, Callable[[bytes], bytes | None]] = {"png": png.icc_profile, "webp": webp.icc_profile}


def decode(data: bytes, header: PhotoHeader, _max_side_px: int) -> Raster:
    """Decode at full size; neither library can shrink on the way.

    Raises:
        InvalidImage: Truncated or damaged, or not of the size that the header claims.
    """
    icc = _PROFILES[header.format](data)
    if header.channels == 1:
        return Raster(_read(data, header, cv2.IMREAD_GRAYSCALE | _STORED_ORIENTATION), "gray", icc)
    if header.channels == 3:
        return Raster(_read(data, header, cv2.IMREAD_COLOR_RGB | _STORED_ORIENTATION), "rgb", icc)
    bgra = _read(data, header, cv2.IMREAD_UNCHANGED)
    alpha.lay_on_white(bgra)
    return Raster(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA, dst=bgra), "rgba", icc)


def _read(data: bytes, header: PhotoHeader, flags: int) -> Samples:
    """(H, W) or (H, W, C); OpenCV allows 2**30 pixels and 2**20 a side."""
    try:
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise InvalidImage(f"The {header.format} file cannot be decoded.") from error
    if samples is None:
        raise InvalidImage(f"The {header.format} file is truncated or damaged.")
    if samples.shape[:2] != (header.height, header.width):
        raise InvalidImage(f"The {header.format} file is not of the size that its header claims.")
    return samples
