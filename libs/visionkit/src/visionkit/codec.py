"""A photo's bytes to upright sRGB pixels, no larger than asked for.

What a decode holds at its peak, beyond the file's bytes and the returned photo (at most 3 bytes for each of
`max_side_px` squared pixels, and once more where an orientation or a profile is applied):

| Format | bytes for each pixel of the full size | besides |
|---|---|---|
| JPEG | 0; progressive: 2 * `samples_per_px` | `channels` * 4/3 * `max_side_px` a side, squared: the DCT scale above |
| PNG  | 4; gray and palette 1, 16-bit gray 2 | `channels` (2 counts as 4) * (2 * `max_side_px`)**2 at worst |
| WebP | lossy 6, lossless 7, with alpha 9 | |
| HEIC | 5; with alpha 9 | |
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2

from visionkit import color, orientation
from visionkit.photo import Photo, PhotoFormat, PhotoHeader
from visionkit.pixels import heic, jpeg, png, webp
from visionkit.pixels.raster import Raster, Samples

__all__ = ["Photo", "decode"]

_DECODERS: Mapping[PhotoFormat, Callable[[bytes, PhotoHeader, int], Raster]] = {
    "jpeg": jpeg.decode,
    "png": png.decode,
    "webp": webp.decode,
    "heic": heic.decode,
}


def decode(data: bytes, header: PhotoHeader, *, max_side_px: int) -> Photo:
    """Decode a photo so that its longer side is at most `max_side_px`; a smaller photo keeps its size.

    Args:
        data: The whole file; not copied.
        header: What `probe` said of the same bytes. Its size is believed: refuse what is too large before.
        max_side_px: At least 1.

    Raises:
        InvalidImage: Truncated or damaged, or the header is not this file's.
        UnsupportedFormat: A kind of file that no decoder here reads.
    """
    raster = _DECODERS[header.format](data, header, max_side_px)
    shrunk = replace(raster, samples=_shrink(raster.samples, _fitting_wh(header, max_side_px)))
    del raster  # the full-size samples go before color conversion takes its share
    rgb = orientation.upright(color.to_srgb(shrunk), header.orientation)
    return Photo(rgb, header.shown_wh)


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
