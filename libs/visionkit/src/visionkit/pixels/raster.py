"""What a decoder hands over: pixels that still await resizing, color and orientation."""

from dataclasses import dataclass
from typing import Literal

from cv2.typing import MatLike

Samples = MatLike  # uint8 or uint16
Space = Literal["gray", "rgb", "rgba", "cmyk"]


@dataclass(frozen=True, slots=True)
class Raster:
    """Decoded samples in stored orientation.

    Attributes:
        samples: (H, W) for gray, else (H, W, C); uint8 or uint16; C-contiguous and writable, owned by the raster.
        space: "gray"; "rgb"; "rgba" whose colors are already laid on white, so that alpha can be dropped;
            "cmyk" as Adobe stores it, 255 meaning no ink.
        icc: The color profile that the file brings, None for sRGB.
        damaged: Whether rows or blocks are lost.
    """

    samples: Samples
    space: Space
    icc: bytes | None
    damaged: bool = False
