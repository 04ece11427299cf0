"""HEIC through libheif."""

import numpy as np
from servicekit.errors import InvalidImage

from visionkit.container import heic
from visionkit.photo import PhotoHeader
from visionkit.pixels import alpha
from visionkit.pixels.cost import Cost
from visionkit.pixels.raster import Raster


def decode(data: bytes, header: PhotoHeader, _max_side_px: int) -> Raster:
    """Decode at full size, to 8 bits, rotated as the file says.

    Colors described by numbers (nclx) instead of a profile are taken for sRGB.

    Raises:
        InvalidImage: Truncated or damaged, or not of the size that the header claims.
        UnsupportedFormat: The extra `heic` is not installed.
    """
    image = heic.open_primary(data)
    try:
        samples = np.asarray(image)
    except heic.DECODER_ERRORS as error:
        raise InvalidImage("The HEIC file is truncated or damaged.") from error
    if samples.shape != _shape(header):
        raise InvalidImage("The HEIC file is not of the size that its header claims.")
    icc = image.info.get("icc_profile")
    if header.channels == 4:
        samples = samples.copy()  # libheif's own buffer is read-only
        alpha.lay_on_white(samples, premultiplied=image.premultiplied_alpha)
        return Raster(samples, "rgba", icc)
    return Raster(samples, "gray" if header.channels == 1 else "rgb", icc)


def _shape(header: PhotoHeader) -> tuple[int, ...]:
    return (header.height, header.width, header.channels)[: 2 if header.channels == 1 else 3]


def cost(header: PhotoHeader, _max_side_px: int) -> Cost:
    """The samples at full size, and libheif's planes: measured as 2 bytes a pixel, with alpha 5."""
    samples = header.channels * header.pixels
    return Cost(samples + (5 if header.channels == 4 else 2) * header.pixels, samples)
