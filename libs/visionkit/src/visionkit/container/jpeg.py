"""JPEG: what a file claims in its segments up to the first scan."""

from visionkit.container import exif, jpeg_layout, jpeg_profile, jpeg_rewriting
from visionkit.container.jpeg_segments import APP1, SOS, START, scan_segments
from visionkit.photo import PhotoHeader

__all__ = ["START", "count_scans", "read_header"]


def read_header(data: bytes) -> PhotoHeader:
    """Read size, precision, components and orientation, and in which way the file has to be decoded."""
    file = jpeg_layout.read(data)
    frame = file.frame
    exifs = (segment.body(data) for segment in file.starting(APP1, exif.PREFIX))
    return PhotoHeader(
        format="jpeg",
        width=frame.width,
        height=frame.height,
        bit_depth=frame.precision,
        channels=len(frame.samplings),
        progressive=not file.in_one_scan,
        orientation=exif.orientation(exif.joined(exifs)),
        samples_per_px=frame.samples_per_px,
        rewritten=jpeg_rewriting.is_needed(file),
        oddly_sampled=not frame.usually_sampled,
        profile_bytes=len(jpeg_profile.join(file) or b"") if len(frame.samplings) == 4 else 0,
    )


def count_scans(data: bytes) -> int:
    """Count the scans of a whole file, without decoding; stops at the end marker."""
    return sum(segment.marker == SOS for _, segment in scan_segments(data, len(START)))
