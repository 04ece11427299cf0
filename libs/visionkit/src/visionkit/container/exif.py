"""The one EXIF field that decides how a photo is shown."""

import struct

UPRIGHT = 1

_ORIENTATION_TAG = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_PREFIX = b"Exif\0\0"


def orientation(exif: bytes) -> int:
    """Read the orientation from a TIFF block, with or without the "Exif" prefix.

    Returns:
        1..8; 1 when the block is damaged or says nothing, as viewers do.
    """
    tiff = exif.removeprefix(_PREFIX)
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
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + entry * _ENTRY_BYTES)
        if tag == _ORIENTATION_TAG:
            return value if (kind, count) == (_SHORT, 1) and 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
