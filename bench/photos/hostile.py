"""Uploads that no service may decode: bombs, lies, fragments and things that are no photo."""

import struct
from collections.abc import Callable, Mapping

from bench.photos.encode import COLOR, PNG_START, blotches, jpeg, png, png_chunk

_IHDR_END = len(PNG_START) + 25


def _claiming(width: int, height: int, real: bytes) -> bytes:
    """A PNG whose header says another size."""
    body = struct.pack(">II", width, height) + real[len(PNG_START) + 16 : len(PNG_START) + 21]
    return PNG_START + png_chunk(b"IHDR", body) + real[_IHDR_END:]


def _taller_jpeg() -> bytes:
    """A JPEG that claims 65,500 rows and has 400."""
    photo = jpeg(blotches(600, 400))
    return photo.replace(struct.pack(">HH", 400, 600), struct.pack(">HH", 65_500, 600), 1)


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "bomb-65000x65000.png": lambda: _claiming(65_000, 65_000, png(64, 64, COLOR)),
    "bomb-50mp.png": lambda: png(8160, 6120, COLOR, interlaced=True),
    "lying-12mp.png": lambda: _claiming(4000, 3000, png(400, 300, COLOR)),
    "lying-65500-rows.jpg": _taller_jpeg,
    "truncated-12mp.jpg": lambda: jpeg(blotches(4032, 3024))[:400_000],
    "truncated-header.jpg": lambda: jpeg(blotches(640, 480))[:100],
    "no-photo.jpg": lambda: b"\xff\xd8" + b"climbing" * 1000,
}
"""File name to its maker."""
