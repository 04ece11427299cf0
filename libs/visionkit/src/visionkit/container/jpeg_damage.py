"""JPEG: whether something of a photo is lost, by its structure and by what libjpeg says of it.

libjpeg decodes what it can and tells the first oddity that it met. There are no checksums: a changed bit that gives
other valid codes is noticed by nobody.
"""

import re

from visionkit.container.jpeg_layout import Layout
from visionkit.container.jpeg_segments import END, EOI, SOS, START, scan_segments, zeros_before

_STRAY = re.compile(r"(\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
_SCAN_HEADER = "Invalid SOS parameters for sequential JPEG"  # of a later scan: the first one's are set right before
_FEW_BYTES = 16  # webcams and drones leave so many; a decoder that lost its place leaves tens or hundreds
_READ_AHEAD_BYTES = 8  # which libjpeg does not count
_MAX_SEARCHED_BYTES = 4096
_RESTARTS = range(0xD0, 0xD8)
_COEFFICIENTS = 64
_NEVER = 16  # more bits than a coefficient has: no scan has brought it


def is_told_by(warning: str, file: Layout) -> bool:
    """Whether libjpeg's first warning, or its error, means that rows or blocks are lost.

    Bytes too many are no loss if they are few or zeros and every restart marker is there: a decoder that skips an
    interval complains of bytes too many as well.
    """
    if _SCAN_HEADER in warning:
        return False
    stray = _STRAY.search(warning)
    return stray is None or not _is_padding(int(stray[1]), int(stray[2], 16), file) or _lacks_restarts(file)


def lacks_scans(file: Layout) -> bool:
    """Whether the scans leave bits of a component's coefficients untold, as those of a download that broke off."""
    missing: dict[int, list[int]] = {}
    for _, segment in scan_segments(file.data, len(START)):
        body = segment.body(file.data)
        if segment.marker != SOS or len(body) != 4 + 2 * body[0]:
            continue
        first, last, bits = body[-3:] if file.frame.progressive else (0, _COEFFICIENTS - 1, 0)
        for component in body[1:-3:2]:
            finest = missing.setdefault(component, [_NEVER] * _COEFFICIENTS)
            finest[first : last + 1] = [bits & 15] * len(finest[first : last + 1])
    return len(missing) < len(file.frame.samplings) or any(map(any, missing.values()))


def _is_padding(count: int, marker: int, file: Layout) -> bool:
    """Whether bytes before a marker are too many, and not the end of zeros that were decoded in the place of pixels."""
    padding = bytes(0 if marker == EOI else min(count, _MAX_SEARCHED_BYTES))  # there is one end and many other markers
    place = file.data.find(padding + bytes([0xFF, marker]), file.scan.end)
    zeros = 0 if place < 0 else zeros_before(file.data, place + len(padding))
    return (count <= _FEW_BYTES or zeros >= count) and zeros <= count + _READ_AHEAD_BYTES


def _lacks_restarts(file: Layout) -> bool:
    """Whether a restart marker of a JPEG in one scan is missing or there too often."""
    if not file.restart_interval or not file.in_one_scan:
        return False
    expected = (file.frame.units - 1) // file.restart_interval
    end = file.data.find(END, file.scan.end)
    counts = [file.data.count(bytes([0xFF, marker]), file.scan.end, end) for marker in _RESTARTS]
    return counts != [(expected + 7 - number) // 8 for number in range(8)]
