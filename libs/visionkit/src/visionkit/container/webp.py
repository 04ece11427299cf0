"""WebP: the RIFF chunks (RFC 9649)."""

from collections.abc import Iterator

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import exif
from visionkit.photo import PhotoHeader

_START_CODE = b"\x9d\x01\x2a"
_ANIMATION, _ALPHA = 0x02, 0x10
_MAX_CHUNKS = 1_000  # a photo has at most six kinds, once each
_RIFF_HEADER_BYTES = 12


def matches(data: bytes) -> bool:
    """Whether the bytes start like a WebP file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read_header(data: bytes) -> PhotoHeader:
    """Read size, alpha and orientation."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise InvalidImage("The WebP is truncated.")
    name, body = next(_chunks(data), (b"", memoryview(b"")))
    if name not in _PARSERS:
        raise InvalidImage("The WebP does not start with a picture.")
    width, height, alpha = _PARSERS[name](body)
    lossless = _chunk(data, b"VP8L") is not None
    samples_per_px = (3 if lossless else 1.5) + alpha
    return PhotoHeader("webp", width, height, 8, 4 if alpha else 3, False, _orientation(data), samples_per_px)


def icc_profile(data: bytes) -> bytes | None:
    """Return the color profile, None if there is none."""
    profile = _chunk(data, b"ICCP")
    return None if profile is None else bytes(profile)


def _orientation(data: bytes) -> int:
    block = _chunk(data, b"EXIF")
    return exif.UPRIGHT if block is None else exif.orientation(bytes(block))


def _chunk(data: bytes, wanted: bytes) -> memoryview | None:
    return next((body for name, body in _chunks(data) if name == wanted), None)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view = memoryview(data)
    position = _RIFF_HEADER_BYTES
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            return
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], view[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def _parse_lossy(body: memoryview) -> tuple[int, int, bool]:
    if len(body) < 10 or bytes(body[3:6]) != _START_CODE:
        raise InvalidImage("The WebP's frame header makes no sense.")
    return _sided(_little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF, alpha=False)


def _parse_lossless(body: memoryview) -> tuple[int, int, bool]:
    if len(body) < 5 or body[0] != 0x2F:
        raise InvalidImage("The WebP's frame header makes no sense.")
    bits = _little(body[1:5])
    return _sided((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, alpha=bool(bits >> 28 & 1))


def _parse_extended(body: memoryview) -> tuple[int, int, bool]:
    if len(body) < 10:
        raise InvalidImage("The WebP's header is too short.")
    if body[0] & _ANIMATION:
        raise UnsupportedFormat("Animated WebPs are not supported.")
    return _sided(_little(body[4:7]) + 1, _little(body[7:10]) + 1, alpha=bool(body[0] & _ALPHA))


def _sided(width: int, height: int, *, alpha: bool) -> tuple[int, int, bool]:
    if not width or not height:
        raise InvalidImage("The WebP has no pixels.")
    return width, height, alpha


def _little(body: memoryview) -> int:
    return int.from_bytes(body, "little")


_PARSERS = {b"VP8 ": _parse_lossy, b"VP8L": _parse_lossless, b"VP8X": _parse_extended}
