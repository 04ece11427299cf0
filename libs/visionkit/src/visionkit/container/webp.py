"""WebP: the RIFF chunks (RFC 9649)."""

from collections.abc import Iterator
from dataclasses import dataclass

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import exif, vp8l
from visionkit.photo import PhotoHeader

_START_CODE = b"\x9d\x01\x2a"
_LOSSLESS_SIGNATURE = 0x2F
_ANIMATION, _ALPHA = 0x02, 0x10
_PACKED_ALPHA = 1
_MAX_CHUNKS = 1_000  # a photo has at most six kinds, once each
_RIFF_HEADER_BYTES = 12
_LOSSLESS_HEADER_BYTES = 5
_MAX_PROFILE_BYTES = 1 << 18  # screens and cameras take a few KiB
_MAX_EXIF_BYTES = 1 << 20  # the orientation stands near the start
_GROUP_BYTES = 12_000  # libwebp's tables for five prefix codes at their largest
_STEERING_PX_BYTES = 4


@dataclass(frozen=True, slots=True)
class _Frame:
    """The picture itself.

    Attributes:
        lossless: VP8L rather than VP8.
        wh: As its own header says.
        alpha: Whether samples have a fourth channel.
        stream: What is left of a lossless picture after its header.
    """

    lossless: bool
    wh: tuple[int, int]
    alpha: bool
    stream: memoryview


def matches(data: bytes) -> bool:
    """Whether the bytes start like a WebP file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read_header(data: bytes) -> PhotoHeader:
    """Read size, alpha and orientation, and what tables the decoder will build.

    Size and alpha are those of the frame that is decoded; a canvas of another size is refused.
    """
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise InvalidImage("The WebP is truncated.")
    name, first = next(_chunks(data), (b"", memoryview(b"")))
    canvas = _parse_extended(first) if name == b"VP8X" else None
    frame, alpha_chunk = _frame(data, extended=canvas is not None)
    if canvas is not None and canvas[:2] != frame.wh:
        raise InvalidImage("The WebP's canvas is not of its picture's size.")
    alpha = frame.alpha if frame.lossless else canvas is not None and canvas[2]
    return PhotoHeader(
        format="webp",
        width=frame.wh[0],
        height=frame.wh[1],
        bit_depth=8,
        channels=4 if alpha else 3,
        progressive=False,
        orientation=_orientation(data),
        samples_per_px=(3 if frame.lossless else 1.5) + alpha,
        side_bytes=_side_bytes(frame, alpha_chunk),
    )


def icc_profile(data: bytes) -> bytes | None:
    """Return the color profile, None if there is none or it is absurdly large."""
    profile = _chunk(data, b"ICCP")
    return None if profile is None or len(profile) > _MAX_PROFILE_BYTES else bytes(profile)


def _orientation(data: bytes) -> int:
    block = _chunk(data, b"EXIF")
    return exif.UPRIGHT if block is None else exif.orientation(bytes(block[:_MAX_EXIF_BYTES]))


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


def _frame(data: bytes, *, extended: bool) -> tuple[_Frame, memoryview | None]:
    """The first frame, which decoders take, and the alpha plane before it."""
    alpha = None
    for name, body in _chunks(data):
        if name == b"VP8 ":
            return _parse_lossy(body), alpha
        if name == b"VP8L":
            return _parse_lossless(body), None
        if not extended:
            break
        if name == b"ALPH":
            alpha = body
    raise InvalidImage("The WebP does not start with a picture.")


def _side_bytes(frame: _Frame, alpha: memoryview | None) -> int:
    if frame.lossless:
        tables = vp8l.read_tables(frame.stream, frame.wh)
    elif alpha is not None and len(alpha) and alpha[0] & 3 == _PACKED_ALPHA:
        tables = vp8l.read_tables(alpha[1:], frame.wh)
    else:
        return 0
    return tables.groups * _GROUP_BYTES + tables.steering_pixels * _STEERING_PX_BYTES


def _parse_lossy(body: memoryview) -> _Frame:
    if len(body) < 10 or bytes(body[3:6]) != _START_CODE:
        raise InvalidImage("The WebP's frame header makes no sense.")
    wh = _sized(_little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF)
    return _Frame(lossless=False, wh=wh, alpha=False, stream=body[:0])


def _parse_lossless(body: memoryview) -> _Frame:
    if len(body) < _LOSSLESS_HEADER_BYTES or body[0] != _LOSSLESS_SIGNATURE:
        raise InvalidImage("The WebP's frame header makes no sense.")
    bits = _little(body[1:_LOSSLESS_HEADER_BYTES])
    wh = _sized((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    return _Frame(lossless=True, wh=wh, alpha=bool(bits >> 28 & 1), stream=body[_LOSSLESS_HEADER_BYTES:])


def _parse_extended(body: memoryview) -> tuple[int, int, bool]:
    """Width and height of the canvas, and whether alpha is announced."""
    if len(body) < 10:
        raise InvalidImage("The WebP's header is too short.")
    if body[0] & _ANIMATION:
        raise UnsupportedFormat("Animated WebPs are not supported.")
    return _little(body[4:7]) + 1, _little(body[7:10]) + 1, bool(body[0] & _ALPHA)


def _sized(width: int, height: int) -> tuple[int, int]:
    if not width or not height:
        raise InvalidImage("The WebP has no pixels.")
    return width, height


def _little(body: memoryview) -> int:
    return int.from_bytes(body, "little")
