"""JPEG through libjpeg-turbo, shrunk while it is decoded."""

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import jpeg, jpeg_damage, jpeg_layout, jpeg_profile, jpeg_rewriting
from visionkit.photo import PhotoHeader
from visionkit.pixels import jpeg_pillow, jpeg_turbo
from visionkit.pixels.cost import Cost
from visionkit.pixels.jpeg_samples import FILLING
from visionkit.pixels.raster import Raster, Space

_SPACES: dict[int, Space] = {1: "gray", 3: "rgb", 4: "cmyk"}
_COEFFICIENT_BYTES = 2
_MAX_SCANS = 64  # encoders write about ten; each costs a pass over all coefficients and cannot be interrupted


def decode(data: bytes, header: PhotoHeader, max_side_px: int) -> Raster:
    """Decode at the smallest scale that the decoder has and whose longer side is still at least `max_side_px`.

    What libjpeg only warns of is no error. Where rows or blocks are lost, the raster is `damaged`.

    Raises:
        InvalidImage: Not one row is left that reaches the right edge, or there are absurdly many scans.
        UnsupportedFormat: More than 8 bits for a sample.
    """
    if header.bit_depth != 8:
        raise UnsupportedFormat(f"A JPEG with {header.bit_depth} bits for a sample is not supported.")
    if header.progressive and jpeg.count_scans(data) > _MAX_SCANS:
        raise InvalidImage(f"The JPEG has more than {_MAX_SCANS} scans.")
    file = jpeg_layout.read(data)
    icc = jpeg_profile.join(file)
    if header.rewritten:
        file = jpeg_layout.read(jpeg_rewriting.rewritten(file))
    decode_samples = jpeg_pillow.decode if header.oddly_sampled else jpeg_turbo.decode
    decoded = decode_samples(file, header, max_side_px)
    damaged = decoded.damaged or (header.rewritten and jpeg_damage.lacks_scans(file))
    if damaged and (decoded.samples[:, -1] == FILLING).all():
        raise InvalidImage("The JPEG is damaged: not one whole row is left.")
    samples = decoded.samples[..., 0] if header.channels == 1 else decoded.samples
    return Raster(samples, _SPACES[header.channels], icc, damaged)


def cost(header: PhotoHeader, max_side_px: int) -> Cost:
    """The samples at the decode scale.

    A `progressive` photo takes the coefficients of the full size besides, 2 bytes a stored sample, whatever the scale.
    """
    samples = (jpeg_pillow.cost if header.oddly_sampled else jpeg_turbo.cost)(header, max_side_px)
    coefficients = _COEFFICIENT_BYTES * header.samples_per_px * header.pixels if header.progressive else 0
    return samples._replace(peak_bytes=samples.peak_bytes + coefficients, file_copies=int(header.rewritten))
