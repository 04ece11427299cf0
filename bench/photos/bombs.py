"""Small files that show a small picture and make a decoder work on a large one, each by another way of its format."""

import struct
import zlib
from collections.abc import Callable, Mapping

import numpy as np

from bench.photos.encode import PNG_START, Pixels, blotches, heic, jpeg, png_chunk, webp

_SHOWN_PX = 64
_HUGE_PX = 8000
_ODD_PX = 11_899  # HEVC codes even sides, so that the encoder itself crops an odd one with `clap`
_SOF0 = b"\xff\xc0"


def _flat(side_px: int) -> Pixels:
    return np.full((side_px, side_px, 3), 120, np.uint8)


def _cropped_heic() -> bytes:
    """A HEIC whose crop (`clap`) leaves 64 pixels a side."""
    side, shown = (struct.pack(">II", px, 1) for px in (_ODD_PX, _SHOWN_PX))
    return _replaced(heic(_flat(_ODD_PX)), b"clap" + 2 * side, b"clap" + 2 * shown)


def _heic_of_another_size() -> bytes:
    """A HEIC that states 64 pixels a side (`ispe`) and codes more."""
    side, shown = (struct.pack(">III", 0, px, px) for px in (_HUGE_PX, _SHOWN_PX))
    return _replaced(heic(_flat(_HUGE_PX)), b"ispe" + side, b"ispe" + shown)


def _second_ihdr() -> bytes:
    """A PNG whose second header is that of the pixels."""
    heads = [png_chunk(b"IHDR", struct.pack(">IIBBBBB", px, px, 8, 2, 0, 0, 0)) for px in (_SHOWN_PX, _HUGE_PX)]
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * _HUGE_PX)
    rows = b"".join([*(packer.compress(row) for _ in range(_HUGE_PX)), packer.flush()])
    return PNG_START + b"".join(heads) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def _webp_on_a_small_canvas() -> bytes:
    """A WebP with an extended header of 64 pixels a side before a larger frame."""
    frame = webp(_flat(_HUGE_PX))[12:]
    canvas = struct.pack("<I", _SHOWN_PX - 1)[:3]
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(4) + 2 * canvas + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _second_frame_header() -> bytes:
    """A JPEG whose frame header of 64 pixels a side is followed by one of more."""
    photo = jpeg(_flat(_HUGE_PX))
    start = photo.index(_SOF0)
    size = slice(start + 5, start + 9)
    head = photo[start : start + 2 + int.from_bytes(photo[start + 2 : start + 4], "big")]
    small = head.replace(photo[size], struct.pack(">HH", _SHOWN_PX, _SHOWN_PX), 1)
    return photo[:start] + small + photo[start:]


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    if old not in data:
        raise ValueError(f"no {old[:4]!r} of that size was written")
    return data.replace(old, new, 1)


def _metadata_of_16_mb() -> bytes:
    """A small JPEG with 256 profile segments of 64 KiB."""
    photo = jpeg(blotches(_SHOWN_PX, _SHOWN_PX))
    parts = [b"ICC_PROFILE\0" + bytes([n % 256, 255]) + bytes(65_000) for n in range(256)]
    segments = [b"\xff\xe2" + struct.pack(">H", len(part) + 2) + part for part in parts]
    return photo[:2] + b"".join(segments) + photo[2:]


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "bomb-clap-11899.heic": _cropped_heic,
    "bomb-ispe-8000.heic": _heic_of_another_size,
    "bomb-second-ihdr-8000.png": _second_ihdr,
    "bomb-canvas-8000.webp": _webp_on_a_small_canvas,
    "bomb-second-sof-8000.jpg": _second_frame_header,
    "bomb-profile-16mb.jpg": _metadata_of_16_mb,
}
"""File name to its maker."""
