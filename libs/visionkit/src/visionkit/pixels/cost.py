"""What a decoder needs, told from the header alone."""

from typing import NamedTuple


class Cost(NamedTuple):
    """Bytes that a decoder holds at its peak, and those of the raster that it hands over (a part of the peak)."""

    peak_bytes: float
    raster_bytes: float
