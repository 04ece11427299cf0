"""Photos of the same kinds as those that users of other systems reported, made here."""

import io
import struct
from collections.abc import Callable, Iterator, Mapping

from PIL import Image, ImageCms

from bench.photos.encode import COLOR, blotches, jpeg, png

WH = (640, 480)
_SOS, _EOI, _JFIF_END = b"\xff\xda", b"\xff\xd9", 20
_ORIENTATION = 0x0112


def _plain(**options: object) -> bytes:
    return jpeg(blotches(*WH), mode="RGB", **options)


def _segment(number: int, body: bytes) -> bytes:
    return bytes([0xFF, 0xE0 + number]) + struct.pack(">H", len(body) + 2) + body


def _with(*segments: bytes) -> bytes:
    """A photo with segments right after its first."""
    photo = _plain()
    return photo[:_JFIF_END] + b"".join(segments) + photo[_JFIF_END:]


def _exif(orientation: int, order: str = "<") -> bytes:
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    entry = struct.pack(f"{order}HHIHH", _ORIENTATION, 3, 1, orientation, 0)
    return _segment(1, b"Exif\0\0" + start + struct.pack(f"{order}H", 1) + entry + bytes(4))


def _icc(body: bytes, number: int = 1, count: int = 1) -> bytes:
    return _segment(2, b"ICC_PROFILE\0" + bytes([number, count]) + body)


def _srgb(**changed: tuple[int, bytes]) -> bytes:
    """An sRGB profile with bytes changed, each at its place."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for place, value in changed.values():
        profile[place : place + len(value)] = value
    return bytes(profile)


def _profiled_png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(blotches(*WH)).save(file, "PNG", icc_profile=_srgb(classes=(12, b"\xff\xfe\xfd\xfc")))
    return file.getvalue()


def _scan_of_other_bytes() -> bytes:
    """The scan header's spectral selection, which a baseline decoder need not read, says 0 to 0 at another bit."""
    photo = bytearray(_plain())
    end = photo.rindex(_SOS) + 2 + struct.unpack_from(">H", photo, photo.rindex(_SOS) + 2)[0]
    photo[end - 3 : end] = b"\x00\x00\x00"
    return bytes(photo)


def _lost_rows() -> bytes:
    photo = _plain()
    return photo[: photo.rindex(_SOS) + (len(photo) - photo.rindex(_SOS)) // 2]


def _lost_restart_marker() -> bytes:
    photo = _plain(restart_marker_blocks=16)
    start = photo.index(b"\xff\xd3", photo.rindex(_SOS))
    return photo[:start] + photo[start + 2 :]


WHOLE: Mapping[str, Callable[[], bytes]] = {
    "scan parameters of zero": _scan_of_other_bytes,
    "40 zero bytes before the end": lambda: _plain()[:-2] + bytes(40) + _EOI,
    "two ends": lambda: _plain() + _EOI,
    "a megabyte of zeros after the end": lambda: _plain() + bytes(1_000_000),
    "stray bytes before the scan": lambda: _plain().replace(_SOS, b"\x01\x02" + _SOS, 1),
    "profile of one byte": lambda: _with(_icc(b"\0")),
    "profile: second part only": lambda: _with(_icc(_srgb(), 2, 2)),
    "profile: part 0 of 0": lambda: _with(_icc(_srgb(), 0, 0)),
    "profile of garbage": lambda: _with(_icc(b"\xff" * 3000)),
    "profile: class is not ASCII": lambda: _with(_icc(_srgb(classes=(12, b"\xff\xfe\xfd\xfc")))),
    "profile: version is not a number": lambda: _with(_icc(_srgb(version=(8, b"\xff" * 4)))),
    "profile in PNG: class is not ASCII": _profiled_png,
    "Exif of garbage": lambda: _with(_segment(1, b"Exif\0\0" + b"\xff" * 500)),
    "Exif: orientation 0": lambda: _with(_exif(0)),
    "Exif: orientation 9": lambda: _with(_exif(9)),
    "XMP of 64 KB that is no XML": lambda: _with(_segment(1, b"http://ns.adobe.com/xap/1.0/\0" + b"<" * 65_000)),
    "Adobe mark of four bytes": lambda: _with(_segment(14, b"Adob")),
    "progressive without an end": lambda: _plain(progressive=True)[:-2],
}
"""Shown as 640 by 480, whole."""

TURNED: Mapping[str, Callable[[], bytes]] = {
    "Exif twice: 6, then 3": lambda: _with(_exif(6), _exif(3)),
    "Exif twice, big-endian first": lambda: _with(_exif(8, ">"), _exif(1)),
    "XMP before Exif": lambda: _with(_segment(1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), _exif(6)),
}
"""Shown as 480 by 640, whole."""

DAMAGED: Mapping[str, Callable[[], bytes]] = {
    "second half of the rows lost": _lost_rows,
}
"""Shown as 640 by 480; the answer says that something is lost."""

EITHER: Mapping[str, Callable[[], bytes]] = {
    "a restart marker lost": _lost_restart_marker,
}
"""Shown as 640 by 480; whether something is lost is the decoder's to say."""

NOTHING_LEFT: Mapping[str, Callable[[], bytes]] = {
    "JPEG without a scan": lambda: _plain()[: _plain().rindex(_SOS)],
    "JPEG of its first two bytes": lambda: b"\xff\xd8",
    "PNG without pixels": lambda: png(*WH, COLOR)[:33],
}
"""Nothing is left to look at."""


def all_members() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Every photo with its maker."""
    for group in (WHOLE, TURNED, DAMAGED, EITHER, NOTHING_LEFT):
        yield from group.items()
