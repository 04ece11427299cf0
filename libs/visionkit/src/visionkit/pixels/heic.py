"""HEIC through libheif."""

import numpy as np
from servicekit.errors import InvalidImage

from visionkit.container import heic
from visionkit.photo import PhotoHeader
from visionkit.pixels import alpha
from visionkit.pixels.cost import Cost
from visionkit.pixels.raster import Raster

# bytes for each pixel at the peak, by stored color samples: gray, 4:2:0, 4:2:2, 4:4:4
_BYTES = {1.0: 2.6, 1.5: 5.2, 2.0: 8.2, 3.0: 9.2}
_DEEP_BYTES = {1.0: 4.4, 1.5: 7.6, 2.0: 13.2, 3.0: 15.2}
_ALPHA_BYTES, _DEEP_ALPHA_BYTES = 3.5, 5.2  # on top


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
    """The samples at full size, libheif's planes and their conversions, as measured."""
    deep = header.bit_depth > 8
    alpha_px_bytes = (_DEEP_ALPHA_BYTES if deep else _ALPHA_BYTES) if header.channels == 4 else 0
    color_samples = header.samples_per_px - (header.channels == 4)
    px_bytes = (_DEEP_BYTES if deep else _BYTES)[color_samples] + alpha_px_bytes
    return Cost(px_bytes * header.pixels, header.channels * header.pixels)
