"""JPEG: marker segments up to the first scan (ITU-T T.81, annex B)."""

import re
import struct
from collections.abc import Iterator

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import exif
from visionkit.photo import PhotoHeader

START = b"\xff\xd8"

_SOF_BASELINE, _SOF_EXTENDED, _SOF_PROGRESSIVE = 0xC0, 0xC1, 0xC2
_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}  # lossless, hierarchical, arithmetic
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_EOI, _SOS, _APP1, _APP2 = 0xD9, 0xDA, 0xE1, 0xE2
_EXIF_PREFIX = b"Exif\0\0"
_ICC_PREFIX = b"ICC_PROFILE\0"
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # neither stuffed, fill nor restart
_MAX_SEGMENTS = 10_000  # a camera writes a few dozen
_MAX_PROFILE_PIECES = 32  # 2 MiB, as printers' profiles take


def read_header(data: bytes) -> PhotoHeader:
    """Read size, precision, components and orientation."""
    orientation = exif.UPRIGHT
    frame: tuple[int, bytes] | None = None
    for marker, body in _segments(data):
        if marker in _OTHER_FRAMES:
            raise UnsupportedFormat("This kind of JPEG (lossless, hierarchical or arithmetic) is not supported.")
        if marker in (_SOF_BASELINE, _SOF_EXTENDED, _SOF_PROGRESSIVE) and frame is None:
            frame = marker, body
        elif marker == _APP1 and body.startswith(_EXIF_PREFIX):
            orientation = exif.orientation(body)
        elif marker == _SOS and frame is not None:
            return _header(*frame, scan=body, orientation=orientation)
    raise InvalidImage("The JPEG ends before its first pixel.")


def icc_profile(data: bytes) -> bytes | None:
    """Join the pieces of the color profile; None if there is none, a piece is missing or it is absurdly large."""
    pieces: dict[int, bytes] = {}
    expected = 0
    for marker, body in _segments(data):
        if marker == _APP2 and body.startswith(_ICC_PREFIX) and len(body) > len(_ICC_PREFIX) + 2:
            number, expected = body[len(_ICC_PREFIX)], body[len(_ICC_PREFIX) + 1]
            pieces[number] = body[len(_ICC_PREFIX) + 2 :]
        if len(pieces) > _MAX_PROFILE_PIECES:
            return None
    if not pieces or sorted(pieces) != list(range(1, expected + 1)):
        return None
    return b"".join(pieces[number] for number in sorted(pieces))


def count_scans(data: bytes) -> int:
    """Count the scans of a whole file, without decoding; stops at the end marker.

    Appended videos and previews are not looked at, pixel data is skipped at the speed of a search.
    """
    scans, position = 0, len(START)
    while found := _MARKER.search(data, position):
        marker, position = data[found.start() + 1], found.end()
        if marker == _EOI:
            break
        scans += marker == _SOS
        if marker not in _WITHOUT_LENGTH:
            position += max(2, int.from_bytes(data[position : position + 2], "big"))
    return scans


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and body of each segment, the first start-of-scan last."""
    position = len(START)
    for _ in range(_MAX_SEGMENTS):
        position = data.find(b"\xff", position) + 1  # libjpeg skips stray bytes, too
        if position == 0 or position >= len(data):
            return
        marker = data[position]
        if marker in (0x00, 0xFF):  # a stuffed or a fill byte
            continue
        position += 1
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        body = data[position + 2 : position + length]
        if marker == _EOI or length < 2 or len(body) != length - 2:
            return
        yield marker, body
        if marker == _SOS:
            return
        position += length


def _header(marker: int, frame: bytes, *, scan: bytes, orientation: int) -> PhotoHeader:
    precision, height, width, samplings = _parse_frame(frame)
    factors = [(sampling >> 4) * (sampling & 15) for sampling in samplings]
    return PhotoHeader(
        format="jpeg",
        width=width,
        height=height,
        bit_depth=precision,
        channels=len(samplings),
        progressive=marker == _SOF_PROGRESSIVE or scan[:1] != bytes([len(samplings)]),
        orientation=orientation,
        samples_per_px=sum(factors) / _largest_block(samplings),
    )


def _parse_frame(frame: bytes) -> tuple[int, int, int, list[int]]:
    """Return precision, height, width and each component's sampling byte."""
    try:
        precision, height, width, components = struct.unpack_from(">BHHB", frame)
    except struct.error:
        raise InvalidImage("The JPEG's frame header is too short.") from None
    samplings = list(frame[7 : 6 + 3 * components : 3])
    if not width or not height or len(samplings) != components or any(not s >> 4 or not s & 15 for s in samplings):
        raise InvalidImage("The JPEG's frame header makes no sense.")
    if components not in (1, 3, 4):
        raise UnsupportedFormat(f"A JPEG with {components} components is not supported.")
    return precision, height, width, samplings


def _largest_block(samplings: list[int]) -> int:
    return max(s >> 4 for s in samplings) * max(s & 15 for s in samplings)
