"""A photo's bytes to upright sRGB pixels, no larger than asked for; and what that will take."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2

from visionkit import color, orientation
from visionkit.photo import Photo, PhotoFormat, PhotoHeader
from visionkit.pixels import heic, jpeg, png, webp
from visionkit.pixels.cost import Cost
from visionkit.pixels.raster import Raster, Samples

__all__ = ["Photo", "decode", "predict_peak_bytes"]

_DECODERS: Mapping[PhotoFormat, Callable[[bytes, PhotoHeader, int], Raster]] = {
    "jpeg": jpeg.decode,
    "png": png.decode,
    "webp": webp.decode,
    "heic": heic.decode,
}
_COSTS: Mapping[PhotoFormat, Callable[[PhotoHeader, int], Cost]] = {
    "jpeg": jpeg.cost,
    "png": png.cost,
    "webp": webp.cost,
    "heic": heic.cost,
}
_MARGIN = 1.03
_SMALL_CHANGE_BYTES = 3_000_000  # Huffman and color tables, metadata, what the allocator keeps for later
_PROFILE_COPIES = 8  # its bytes, and Little CMS's tables of 16 bits, measured


def decode(data: bytes, header: PhotoHeader, *, max_side_px: int) -> Photo:
    """Decode a photo so that its longer side is at most `max_side_px`; a smaller photo keeps its size.

    Args:
        data: The whole file; not copied.
        header: What `probe` said of the same bytes. Its size is believed: refuse what is too large before.
        max_side_px: At least 1.

    Raises:
        InvalidImage: Nothing of it can be shown, or the header is not this file's. A JPEG of which some rows are left
            is a photo that is `damaged`; the decoders of other formats give nothing of a damaged one.
        UnsupportedFormat: A kind of file that no decoder here reads.
    """
    raster = _DECODERS[header.format](data, header, max_side_px)
    shrunk = replace(raster, samples=_shrink(raster.samples, _fitting_wh(header, max_side_px)))
    del raster  # the full-size samples go before color conversion takes its share
    rgb = orientation.upright(color.to_srgb(shrunk), header.orientation)
    return Photo(rgb, header.shown_wh, shrunk.damaged)


def predict_peak_bytes(header: PhotoHeader, *, file_bytes: int, max_side_px: int) -> int:
    """Predict from the header what `decode` holds at its peak, its result included and the file's bytes not.

    An upper bound also where the header lies, because no decoder goes beyond the size that it claims; within 1.5
    times of the truth for honest photos above 2 megapixels.

    Args:
        header: What `probe` said of the file.
        file_bytes: The file's size.
        max_side_px: As for `decode`.
    """
    cost = _COSTS[header.format](header, max_side_px)
    width, height = _fitting_wh(header, max_side_px)
    fitting, rgb = header.channels * width * height, 3 * width * height
    shrinking = 0 if cost.raster_bytes == fitting else cost.raster_bytes + fitting
    converting = fitting + rgb if header.channels == 3 else shrinking + rgb  # the allocator still holds the raster
    converting += _PROFILE_COPIES * header.profile_bytes
    turning = 0 if header.orientation == 1 else 2 * rgb
    pixels = _MARGIN * max(cost.peak_bytes, shrinking, converting, turning)
    return round(pixels) + header.side_bytes + cost.file_copies * file_bytes + _SMALL_CHANGE_BYTES


def _fitting_wh(header: PhotoHeader, max_side_px: int) -> tuple[int, int]:
    """Stored width and height scaled so that the longer is at most `max_side_px`."""
    longer = max(header.width, header.height)
    if longer <= max_side_px:
        return header.width, header.height
    scale = max_side_px / longer
    return max(1, round(header.width * scale)), max(1, round(header.height * scale))


def _shrink(samples: Samples, wh: tuple[int, int]) -> Samples:
    height, width = samples.shape[:2]
    if (width, height) == wh:
        return samples
    return cv2.resize(samples, wh, interpolation=cv2.INTER_AREA)
