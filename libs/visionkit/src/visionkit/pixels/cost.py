"""What a decoder needs, told from the header alone."""

from typing import NamedTuple


class Cost(NamedTuple):
    """What decoding holds at its peak.

    Attributes:
        peak_bytes: Of pixels.
        raster_bytes: Of the raster that it hands over, a part of the peak.
        file_copies: How often the file's bytes are held, beside the caller's.
    """

    peak_bytes: float
    raster_bytes: float
    file_copies: int = 0
