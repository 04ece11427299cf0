"""Uploads that no service may decode: bombs, lies, fragments and things that are no photo."""

import struct
from collections.abc import Callable, Mapping

import numpy as np

from bench.photos import heif
from bench.photos.encode import COLOR, PNG_START, blotches, heic, jpeg, png, png_chunk
from bench.photos.prefix_codes import many_groups

_IHDR_END = len(PNG_START) + 25


def _claiming(width: int, height: int, real: bytes) -> bytes:
    """A PNG whose header says another size."""
    body = struct.pack(">II", width, height) + real[len(PNG_START) + 16 : len(PNG_START) + 21]
    return PNG_START + png_chunk(b"IHDR", body) + real[_IHDR_END:]


def _taller_jpeg() -> bytes:
    """A JPEG that claims 65,500 rows and has 400."""
    photo = jpeg(blotches(600, 400))
    return photo.replace(struct.pack(">HH", 400, 600), struct.pack(">HH", 65_500, 600), 1)


def _cropped_heic() -> bytes:
    """A HEIC of 142 megapixels that shows 64 x 64 of them."""
    part = heif.coded(heic(np.full((11_900, 11_900, 3), 128, np.uint8)))
    part.properties.append(heif.crop(64, 64))
    return heif.file_of(part)


def _second_header() -> bytes:
    """A PNG of 64 x 64 that says 9000 x 9000 in a second header."""
    real = png(9000, 9000, COLOR)
    small = struct.pack(">II", 64, 64) + real[len(PNG_START) + 16 : len(PNG_START) + 21]
    return PNG_START + png_chunk(b"IHDR", small) + real[len(PNG_START) :]


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "bomb-65000x65000.png": lambda: _claiming(65_000, 65_000, png(64, 64, COLOR)),
    "bomb-second-header.png": _second_header,
    "bomb-cropped.heic": _cropped_heic,
    "bomb-prefix-codes.webp": lambda: many_groups(1024),
    "bomb-50mp.png": lambda: png(8160, 6120, COLOR, interlaced=True),
    "lying-12mp.png": lambda: _claiming(4000, 3000, png(400, 300, COLOR)),
    "lying-65500-rows.jpg": _taller_jpeg,
    "truncated-12mp.jpg": lambda: jpeg(blotches(4032, 3024))[:400_000],
    "truncated-header.jpg": lambda: jpeg(blotches(640, 480))[:100],
    "no-photo.jpg": lambda: b"\xff\xd8" + b"climbing" * 1000,
}
"""File name to its maker."""
