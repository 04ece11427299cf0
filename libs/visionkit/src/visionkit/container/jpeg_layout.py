"""JPEG: where everything lies in a file, up to its first scan."""

from dataclasses import dataclass

from servicekit.errors import InvalidImage

from visionkit.container import jpeg_frame
from visionkit.container.jpeg_segments import DRI, SOS, Segment, header_segments


@dataclass(frozen=True, slots=True)
class Layout:
    """A JPEG file's segments.

    Attributes:
        data: The whole file; not copied.
        segments: Those of the header, the first start of scan last.
        frame: What the frame header claims.
    """

    data: bytes
    segments: list[Segment]
    frame: jpeg_frame.Frame

    @property
    def scan(self) -> Segment:
        """The header of the first scan; its pixels begin where it ends."""
        return self.segments[-1]

    @property
    def in_one_scan(self) -> bool:
        """Whether all components come in one scan, so that the decoder need not hold their coefficients."""
        return not self.frame.progressive and self.scan.body(self.data)[:1] == bytes([len(self.frame.samplings)])

    @property
    def restart_interval(self) -> int:
        """After how many minimum coded units a restart marker stands; 0 for none."""
        told = [segment.body(self.data) for segment in self.segments if segment.marker == DRI]
        return int.from_bytes(told[-1][:2], "big") if told else 0

    def starting(self, marker: int, prefix: bytes, least_bytes: int = 0) -> list[Segment]:
        """The segments of a kind whose bodies start with `prefix` and have at least `least_bytes`."""
        return [
            segment
            for segment in self.segments
            if segment.marker == marker
            and self.data.startswith(prefix, segment.body_start, segment.end)
            and segment.end - segment.body_start >= least_bytes
        ]


def read(data: bytes) -> Layout:
    """Find the segments of a file.

    Raises:
        InvalidImage: There is no frame or no scan, or the frame makes no sense.
        UnsupportedFormat: A kind of JPEG that is not decoded here.
    """
    segments = list(header_segments(data))
    frame = next((segment for segment in segments if jpeg_frame.is_frame(segment.marker)), None)
    if frame is None or segments[-1].marker != SOS:
        raise InvalidImage("The JPEG ends before its first pixel.")
    return Layout(data, segments, jpeg_frame.parse(frame.marker, frame.body(data)))
