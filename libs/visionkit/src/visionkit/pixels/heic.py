"""HEIC through libheif; it needs the extra `heic`.

libheif opens a file that holds what the header counted and nothing else; what it says of that is compared with the
header once more before it decodes.
"""

from types import ModuleType
from typing import Any

import numpy as np
from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container.heic_primary import extract
from visionkit.photo import DecodedPlanes, PhotoHeader
from visionkit.pixels import alpha
from visionkit.pixels.cost import Cost
from visionkit.pixels.raster import Raster

pillow_heif: ModuleType | None
try:
    import pillow_heif
except ImportError:
    pillow_heif = None

DECODER_ERRORS = (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError)

_MODES = {1: ("L", "I;16"), 3: ("RGB",), 4: ("RGBA", "RGBa")}  # pillow_heif's
# bytes for each pixel at the peak, by stored samples: gray, 4:2:0, 4:2:2, 4:4:4
_DECODING = {1.0: 2.6, 1.5: 3.7, 2.0: 4.7, 3.0: 6.7}
_DEEP_DECODING = {1.0: 4.6, 1.5: 6.7, 2.0: 8.8, 3.0: 12.8}
_CONVERTING = {1.0: 2.6, 1.5: 5.2, 2.0: 8.5, 3.0: 9.5}
_DEEP_CONVERTING = {1.0: 4.6, 1.5: 8.0, 2.0: 13.6, 3.0: 15.6}
_TRANSPARENT_BYTES, _DEEP_TRANSPARENT_BYTES = 5.0, 5.6  # on top
_KEPT_BYTES = 12_000_000  # of tiles and alpha planes, which are freed one by one, in what the allocator holds for later
_FILE_COPIES = 3  # the main picture's file, libheif's and its decoder's
_BLOCK_BYTES = 256  # what libde265 keeps for each coding tree block


def decode(data: bytes, header: PhotoHeader, _max_side_px: int) -> Raster:
    """Decode at full size, to 8 bits, rotated as the file says.

    Colors described by numbers (nclx) instead of a profile are taken for sRGB.

    Raises:
        InvalidImage: Truncated or damaged, or not of the size that the header claims.
        UnsupportedFormat: The extra `heic` is not installed.
    """
    image = _open(extract(data))
    if image.size != (header.width, header.height) or image.mode not in _MODES[header.channels]:
        raise InvalidImage("The HEIC file is not of the size that its header claims.")
    try:
        samples = np.asarray(image)
    except DECODER_ERRORS as error:
        raise InvalidImage("The HEIC file is truncated or damaged.") from error
    if samples.shape != _shape(header):
        raise InvalidImage("The HEIC file is not of the size that its header claims.")
    icc = image.info.get("icc_profile")
    if header.channels == 4:
        samples = samples.copy()  # libheif's own buffer is read-only
        alpha.lay_on_white(samples, premultiplied=image.premultiplied_alpha)
        return Raster(samples, "rgba", icc)
    return Raster(samples, "gray" if header.channels == 1 else "rgb", icc)


def cost(header: PhotoHeader, _max_side_px: int) -> Cost:
    """All planes while they are decoded; then what is shown, with libheif's conversions, as measured."""
    deep = header.bit_depth > 8
    px_bytes = (_DEEP_CONVERTING if deep else _CONVERTING)[header.planes[0].samples_per_px]
    if header.channels == 4:
        px_bytes += _DEEP_TRANSPARENT_BYTES if deep else _TRANSPARENT_BYTES
    kept = min(_KEPT_BYTES, sum(_bytes(part) for part in header.planes[1:] if part.blocks))
    peak = max(sum(map(_bytes, header.planes)), px_bytes * header.pixels + kept)
    return Cost(peak, header.channels * header.pixels, _FILE_COPIES)


def _open(file: bytes) -> Any:  # noqa: ANN401 - pillow_heif is optional
    """The file's picture, a `pillow_heif.HeifImage`, not decoded yet."""
    if pillow_heif is None:
        raise UnsupportedFormat("HEIC photos are not supported here; send a JPEG.")
    try:
        opened = pillow_heif.open_heif(file)
        return opened[opened.primary_index]
    except DECODER_ERRORS as error:
        raise InvalidImage("The HEIC file is damaged.") from error


def _bytes(planes: DecodedPlanes) -> float:
    deep = planes.bit_depth > 8
    if planes.blocks:
        px_bytes = (_DEEP_DECODING if deep else _DECODING)[planes.samples_per_px]
        return planes.pixels * px_bytes + planes.blocks * _BLOCK_BYTES
    return planes.pixels * planes.samples_per_px * (2 if deep else 1)


def _shape(header: PhotoHeader) -> tuple[int, ...]:
    return (header.height, header.width, header.channels)[: 2 if header.channels == 1 else 3]
