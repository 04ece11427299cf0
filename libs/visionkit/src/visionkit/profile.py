"""Which color profiles are worth the memory and the risk of a conversion (ICC.1:2010).

The bytes are a stranger's. Little CMS reads what it needs for colors safely, but a text tag of 100 bytes can claim
millions of strings, for which it makes room: texts are read here.
"""

import struct
from typing import Literal

_HEADER_BYTES, _ENTRY_BYTES, _MAX_TAGS = 128, 12, 100
_SPACES = {"gray": b"GRAY", "rgb": b"RGB ", "cmyk": b"CMYK"}
_MAX_BYTES = {"gray": 1 << 18, "rgb": 1 << 18, "cmyk": 1 << 21}  # cameras and screens take a few KiB, printers 2 MiB
_PROGRAM = b"mpet"  # any number of steps for each pixel: 8 s of work in 32 KiB
_SRGB = "sRGB"


def is_usable(icc: bytes, space: Literal["gray", "rgb", "cmyk"]) -> bool:
    """Whether a profile is for these channels, says anything beyond sRGB, and costs little to read and to apply."""
    fits = icc[16:20] == _SPACES[space] and len(icc) <= _MAX_BYTES[space]
    return fits and _PROGRAM not in icc and not _description(icc).startswith(_SRGB)


def _description(icc: bytes) -> str:
    """The first letters of the profile's name; empty if it has none, or is damaged."""
    try:
        (count,) = struct.unpack_from(">I", icc, _HEADER_BYTES)
        for place in range(_HEADER_BYTES + 4, _HEADER_BYTES + 4 + _ENTRY_BYTES * min(count, _MAX_TAGS), _ENTRY_BYTES):
            name, start = struct.unpack_from(">4sI", icc, place)
            if name == b"desc":
                return _text(icc[start:])
    except struct.error:  # the profile ends too early
        pass
    return ""


def _text(tag: bytes) -> str:
    """The first letters of a text: in ASCII before version 4, then in UTF-16 for each language."""
    if tag.startswith(b"desc"):
        return tag[12 : 12 + len(_SRGB)].decode("ascii", "replace")
    (start,) = struct.unpack_from(">I", tag, 24)
    return tag[start : start + 2 * len(_SRGB)].decode("utf-16-be", "replace")
