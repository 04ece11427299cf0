"""JPEG: a file that viewers show and libjpeg stumbles over, as libjpeg likes it.

Samsung's phones end a scan header with a 0 where 63 belongs, others leave out the end marker, editors break profiles.
For TurboJPEG all of that is an error like a lost row. What it finds in a rewritten file is about pixels.
"""

from visionkit.container import jpeg_frame, jpeg_profile
from visionkit.container.jpeg_layout import Layout
from visionkit.container.jpeg_segments import (
    APP0,
    APP2,
    APP14,
    APP15,
    COM,
    DHT,
    DQT,
    DRI,
    END,
    SOI,
    SOS,
    START,
    WITHOUT_LENGTH,
    Segment,
    scan_segments,
    zeros_before,
)

_WHOLE_SPECTRUM = b"\0\x3f\0"  # first and last coefficient and the bits of them, in each scan of a sequential JPEG
_JFIF, _JFIF_BYTES = b"JFIF\0", 14  # what is shorter is not taken for one
_JFIF_MAJOR = 5  # where its version stands
_ADOBE, _ADOBE_BYTES = b"Adobe", 12
_ADOBE_TRANSFORM = 11
_TRANSFORMS = {1: (0, 1, 2), 3: (0, 1), 4: (0, 2)}  # by components; the last is what libjpeg takes for any other
_TABLES = frozenset({DHT, DQT, DRI})
_KNOWN = frozenset({SOS, COM, *_TABLES, *range(APP0, APP15 + 1)}) | WITHOUT_LENGTH - {SOI}
_MAX_APP2_BYTES = 1 << 19  # TurboJPEG copies them, and what is a profile among them twice


def is_needed(file: Layout) -> bool:
    """Whether a file has to be rewritten, which costs a copy of it."""
    transforms = _TRANSFORMS[len(file.frame.samplings)]
    return (
        not file.frame.usually_sampled
        or any(segment.stray or not _is_known(segment.marker) for segment in file.segments)
        or _scan_header(file) != file.scan.body(file.data)
        or file.data.rfind(END, file.scan.end) < 0
        or jpeg_profile.is_broken(file)
        or sum(segment.end - segment.body_start for segment in file.starting(APP2, b"")) > _MAX_APP2_BYTES
        or any(file.data[jfif.body_start + _JFIF_MAJOR] != 1 for jfif in _jfifs(file))
        or any(transform not in transforms for transform in _adobe_transforms(file))
    )


def rewritten(file: Layout) -> bytes:
    """Return a copy with tables, frame and scans only, the marks for its colors in their plainest form, and an end.

    A file that ends within a later table or scan header is cut before it, since libjpeg would give up all of it; one
    that ends in zeros, as an unfinished download does, before them.
    """
    kept = [segment for segment in file.segments if segment.marker in _TABLES or jpeg_frame.is_frame(segment.marker)]
    tables = [_segment(segment.marker, segment.body(file.data)) for segment in kept]
    pixels = memoryview(file.data)[file.scan.end : _end(file)]
    return b"".join([START, *_color_marks(file), *tables, _segment(SOS, _scan_header(file)), pixels, END])


def _is_known(marker: int) -> bool:
    return marker in _KNOWN or jpeg_frame.is_frame(marker)


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def _scan_header(file: Layout) -> bytes:
    body = file.scan.body(file.data)
    return body if file.frame.progressive else body[:-3] + _WHOLE_SPECTRUM


def _end(file: Layout) -> int:
    """Where the scans end: before the end marker, before a segment that is cut off, or where only zeros follow."""
    for start, segment in scan_segments(file.data, file.scan.end):
        if file.data.startswith(END, start) or segment.end > len(file.data):
            return start
    end = len(file.data) - zeros_before(file.data, len(file.data))
    return end + 1 if file.data[end - 1 : end + 1] == b"\xff\0" else end  # a value of 255 is followed by a 0


def _color_marks(file: Layout) -> list[bytes]:
    """The JFIF header and Adobe's transform, as far as they are there."""
    jfifs = [_segment(APP0, _JFIF + bytes([1, 1, 0, 0, 1, 0, 1, 0, 0])) for _ in _jfifs(file)]
    transforms = _TRANSFORMS[len(file.frame.samplings)]
    told = [transform if transform in transforms else transforms[-1] for transform in _adobe_transforms(file)]
    adobes = [_segment(APP14, _ADOBE + bytes(6) + bytes([transform])) for transform in told]
    return [*jfifs[:1], *adobes[-1:]]


def _jfifs(file: Layout) -> list[Segment]:
    return file.starting(APP0, _JFIF, _JFIF_BYTES)


def _adobe_transforms(file: Layout) -> list[int]:
    return [file.data[adobe.body_start + _ADOBE_TRANSFORM] for adobe in file.starting(APP14, _ADOBE, _ADOBE_BYTES)]
