"""What a photo's header says, and a decoded photo."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

PhotoFormat = Literal["jpeg", "png", "webp", "heic"]

TRANSPOSING_ORIENTATIONS = frozenset({5, 6, 7, 8})


class DecodedPlanes(NamedTuple):
    """Samples that a decoder holds.

    Attributes:
        pixels: How many.
        samples_per_px: Stored for each pixel: 1 in gray, 1.5, 2 or 3 with chroma.
        bit_depth: Bits of a sample.
        blocks: Into how many blocks they are coded, where they are just being decoded; 0 once they are.
    """

    pixels: int
    samples_per_px: float
    bit_depth: int
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class PhotoHeader:
    """What a file claims about its pixels, before any of them is decoded. The claim may be a lie.

    Attributes:
        format: The container, by its first bytes; a file name or content type has no say.
        width: Stored width in pixels, before orientation, >= 1.
        height: Stored height in pixels, before orientation, >= 1.
        bit_depth: Bits of one stored sample: 1, 2, 4, 8, 10, 12 or 16; of a palette PNG those of an index.
        channels: Channels once decoded: 1 gray, 2 gray and alpha, 3 color, 4 color and alpha, in a JPEG 4 is CMYK.
        progressive: The decoder must hold all coefficients of the photo at once, whatever the decode scale: a
            progressive JPEG, or a sequential one that comes in several scans.
        orientation: EXIF orientation 1..8; 1 where it is missing or nonsense, and for HEIC, whose decoder rotates.
        samples_per_px: Stored samples for each pixel: 1.5 with 4:2:0 chroma, 3 with 4:4:4 and in lossless color, 1 in
            gray and palettes, one more with alpha.
        rewritten: A JPEG that its decoder would stumble over, so that it is given a copy of the file, mended.
        profile_bytes: Size of a CMYK JPEG's color profile; those of other photos are used up to 256 KiB only.
        oddly_sampled: A JPEG whose sampling factors have no name; another decoder than the usual one reads it.
        planes: What a HEIC's decoder holds at once: the picture before it is cropped, canvas, tiles, layers, alpha.
        side_bytes: What a WebP's decoder holds beside pixels, for tables of prefix codes.
        decoded_pixels: What is decoded one after the other, where that is more than what is shown.
    """

    format: PhotoFormat
    width: int
    height: int
    bit_depth: int
    channels: int
    progressive: bool
    orientation: int
    samples_per_px: float
    rewritten: bool = False
    oddly_sampled: bool = False
    profile_bytes: int = 0
    planes: tuple[DecodedPlanes, ...] = ()
    side_bytes: int = 0
    decoded_pixels: int = 0

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def shown_wh(self) -> tuple[int, int]:
        """Full-size width and height as a viewer shows the photo, after orientation."""
        if self.orientation in TRANSPOSING_ORIENTATIONS:
            return self.height, self.width
        return self.width, self.height


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo.

    Attributes:
        rgb: (H, W, 3) uint8, upright, sRGB, C-contiguous; owned by whoever holds it.
        shown_wh: Full-size upright width and height, of which `rgb` may be a smaller picture.
        damaged: Whether rows or blocks of it are lost; what is there in their place is gray or wrong.
    """

    rgb: NDArray[np.uint8]
    shown_wh: tuple[int, int]
    damaged: bool = False
