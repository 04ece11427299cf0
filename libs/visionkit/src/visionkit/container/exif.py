"""The one EXIF field that decides how a photo is shown."""

import struct
import zlib
from collections.abc import Iterable
from itertools import islice

UPRIGHT = 1
PREFIX = b"Exif\0\0"

_ORIENTATION_TAG = 0x0112
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}  # BYTE, SHORT, LONG and the same with a sign
_ENTRY_BYTES, _VALUE_BYTES = 12, 4
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_MAX_PIECES = 16  # segments of a JPEG, 1 MiB
_TEXT_KEY = b"Raw profile type exif\0"
_HEX_LINES = 3  # before the hex: an empty one, the profile's name and its length
_MAX_TEXT_BYTES = 1 << 20


def joined(bodies: Iterable[bytes]) -> bytes:
    """Join the Exif segments of a JPEG to one block; what exceeds 1 MiB is left out.

    A block longer than a segment goes on in the next. A second block of its own is joined, too, but nothing in the
    first one points there, so that the first counts: as in Pillow, libvips, exiftool and Chromium.
    """
    return b"".join(body.removeprefix(PREFIX) for body in islice(bodies, _MAX_PIECES))


def from_png_text(kind: bytes, text: memoryview) -> bytes | None:
    """Read the block out of a PNG's tEXt or zTXt chunk, where ImageMagick puts it in hex; None for another text.

    The orientation stands near the start of a block: what exceeds 1 MiB, packed or not, is not looked at.
    """
    if bytes(text[: len(_TEXT_KEY)]) != _TEXT_KEY:
        return None
    value = bytes(text[len(_TEXT_KEY) : _MAX_TEXT_BYTES])
    try:
        lines = zlib.decompressobj().decompress(value[1:], _MAX_TEXT_BYTES) if kind == b"zTXt" else value
        return bytes.fromhex(lines.split(b"\n", _HEX_LINES)[-1].decode("ascii"))
    except (ValueError, zlib.error):
        return b""


def orientation(exif: bytes) -> int:
    """Read the orientation from a TIFF block, with or without "Exif" before it.

    A value of any integer type is taken, as Pillow and libvips do.

    Returns:
        1..8; 1 when the block is damaged or says nothing, as viewers do.
    """
    tiff = exif.removeprefix(PREFIX).removeprefix(PREFIX)  # some write it twice
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        return _from_first_directory(tiff, order)
    except struct.error:  # the block ends too early
        return UPRIGHT


def _from_first_directory(tiff: bytes, order: str) -> int:
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack_from(f"{order}H", tiff, start)
    for entry in range(entries):
        place = start + 2 + entry * _ENTRY_BYTES
        tag, kind, count, stored = struct.unpack_from(f"{order}HHI{_VALUE_BYTES}s", tiff, place)
        if tag == _ORIENTATION_TAG:
            return _valid(kind, count, stored, order)
    return UPRIGHT


def _valid(kind: int, count: int, stored: bytes, order: str) -> int:
    """The first of `count` values that are stored in the entry itself, if it is an orientation."""
    code = order + _INTEGERS.get(kind, "")
    if not 1 <= count * struct.calcsize(code) <= _VALUE_BYTES:
        return UPRIGHT
    (value,) = struct.unpack_from(code, stored)
    return value if 1 <= value <= 8 else UPRIGHT
