"""JPEG through libjpeg-turbo, shrunk while it is decoded."""

from collections.abc import Mapping
from math import ceil

import simplejpeg
from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import jpeg
from visionkit.photo import PhotoHeader
from visionkit.pixels.cost import Cost
from visionkit.pixels.raster import Raster, Space

_SPACES: Mapping[int, tuple[Space, str]] = {1: ("gray", "GRAY"), 3: ("rgb", "RGB"), 4: ("cmyk", "CMYK")}
_COEFFICIENT_BYTES = 2
_MAX_SCANS = 64  # encoders write about ten; each costs a pass over all coefficients and cannot be interrupted


def decode(data: bytes, header: PhotoHeader, max_side_px: int) -> Raster:
    """Decode at the smallest n/8 whose longer side is still at least `max_side_px`.

    Raises:
        InvalidImage: Truncated or damaged; libjpeg would fill in gray, we would rather say so.
        UnsupportedFormat: More than 8 bits for a sample.
    """
    if header.bit_depth != 8:
        raise UnsupportedFormat(f"A JPEG with {header.bit_depth} bits for a sample is not supported.")
    if header.progressive and jpeg.count_scans(data) > _MAX_SCANS:
        raise InvalidImage(f"The JPEG has more than {_MAX_SCANS} scans.")
    space, colorspace = _SPACES[header.channels]
    landscape = header.width >= header.height
    least = {"min_width": max_side_px} if landscape else {"min_height": max_side_px}
    try:
        samples = simplejpeg.decode_jpeg(data, colorspace, strict=True, **least)
    except ValueError as error:
        raise InvalidImage(f"The JPEG is {'truncated' if 'Premature end' in str(error) else 'damaged'}.") from error
    return Raster(samples[..., 0] if space == "gray" else samples, space, jpeg.icc_profile(data))


def cost(header: PhotoHeader, max_side_px: int) -> Cost:
    """The samples at the decode scale.

    A `progressive` photo takes the coefficients of the full size besides, 2 bytes a stored sample, whatever the scale.
    """
    longer = max(header.width, header.height)
    eighths = min(8, ceil(8 * max_side_px / longer))
    samples = ceil(header.width * eighths / 8) * ceil(header.height * eighths / 8) * header.channels
    coefficients = _COEFFICIENT_BYTES * header.samples_per_px * header.pixels if header.progressive else 0
    return Cost(samples + coefficients, samples)
