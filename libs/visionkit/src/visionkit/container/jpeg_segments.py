"""JPEG: the list of marker segments (ITU-T T.81, annex B)."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from servicekit.errors import InvalidImage

START, END = b"\xff\xd8", b"\xff\xd9"
SOI, EOI, SOS, DHT, DQT, DRI, COM = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xFE
APP0, APP1, APP2, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xDA)})

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # neither stuffed, fill nor restart
_ZEROS = bytes(4096)
_PIECE_BYTES = 1 << 18
_MAX_SEGMENTS = 10_000  # a camera writes a few dozen


class Segment(NamedTuple):
    """Where a segment lies: its marker's code, the first byte of its body, the byte after it.

    `stray` says whether something else than fill bytes stands between it and the segment before.
    """

    marker: int
    body_start: int
    end: int
    stray: bool

    def body(self, data: bytes) -> bytes:
        """A copy of the segment without marker and length, at most 64 KiB."""
        return data[self.body_start : self.end]


def header_segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments up to the first start of scan, which is the last; fewer where the file ends before it.

    Stray bytes are passed over and a length below 2 counts as 2, as in libjpeg.
    """
    after = len(START)
    for start, segment in islice(_positions(_MARKER, data, after), _MAX_SEGMENTS):
        if segment.marker == EOI or segment.end > len(data):
            return
        fill = data.count(0xFF, after, start)
        yield segment._replace(stray=fill != start - after)
        if segment.marker == SOS:
            return
        after = segment.end


def scan_segments(data: bytes, position: int) -> Iterator[tuple[int, Segment]]:
    """Yield start and segment for each marker after the first scan's header, restart markers left out.

    Pixels are skipped at the speed of a search; the end marker is the last, so that appended videos and previews are
    not looked at. A segment may reach beyond the file.

    Raises:
        InvalidImage: There are absurdly many.
    """
    for number, (start, segment) in enumerate(_positions(_MARKER_IN_SCAN, data, position)):
        if number == _MAX_SEGMENTS:
            raise InvalidImage(f"The JPEG has more than {_MAX_SEGMENTS} segments.")
        yield start, segment
        if segment.marker == EOI:
            return


def zeros_before(data: bytes, end: int) -> int:
    """How many zeros stand right before a place."""
    start = end
    while data.startswith(_ZEROS, start - len(_ZEROS)) and start >= len(_ZEROS):
        start -= len(_ZEROS)
    rest = data[max(0, start - len(_ZEROS)) : start]
    return end - start + len(rest) - len(rest.rstrip(b"\0"))


def _positions(markers: re.Pattern[bytes], data: bytes, position: int) -> Iterator[tuple[int, Segment]]:
    while found := _search(markers, data, position):
        marker, body_start = data[found.start() + 1], found.end()
        position = body_start
        if marker not in WITHOUT_LENGTH:
            body_start += 2
            position += max(2, int.from_bytes(data[position:body_start], "big"))
        yield found.start(), Segment(marker, body_start, position, stray=False)


def _search(markers: re.Pattern[bytes], data: bytes, position: int) -> re.Match[bytes] | None:
    """The next marker; looked for piece by piece, since a search stops all other threads for as long as it takes."""
    for start in range(position, len(data), _PIECE_BYTES - 1):
        if found := markers.search(data, start, start + _PIECE_BYTES):
            return found
    return None
