"""JPEG: the frame header (ITU-T T.81, B.2.2), which says what will be decoded."""

import struct
from dataclasses import dataclass
from math import ceil

from servicekit.errors import InvalidImage, UnsupportedFormat

_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_OTHERS = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}  # lossless, hierarchical, arithmetic
_USUAL_LUMAS = frozenset({(1, 1), (2, 1), (2, 2), (1, 2), (4, 1)})  # 4:4:4, 4:2:2, 4:2:0, 4:4:0, 4:1:1
_FACTORS = frozenset({1, 2, 3, 4})
_BLOCK_PX = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame header claims.

    Attributes:
        progressive: Whether it is a progressive frame.
        precision: Bits of a sample.
        height: In pixels, >= 1.
        width: In pixels, >= 1.
        samplings: Each component's horizontal and vertical sampling factor, 1..4; 1, 3 or 4 components.
    """

    progressive: bool
    precision: int
    height: int
    width: int
    samplings: tuple[tuple[int, int], ...]

    @property
    def samples_per_px(self) -> float:
        """Stored samples for each pixel."""
        return sum(h * v for h, v in self.samplings) / (self._largest[0] * self._largest[1])

    @property
    def usually_sampled(self) -> bool:
        """Whether the sampling factors are among those that have a name, which TurboJPEG knows."""
        luma, *chroma = self.samplings
        inks = [(1, 1), (1, 1), luma][: len(chroma)]
        return not chroma or (luma in _USUAL_LUMAS and chroma == inks)

    @property
    def units(self) -> int:
        """How many minimum coded units a scan of all components has."""
        h, v = self._largest if len(self.samplings) > 1 else (1, 1)
        return ceil(self.width / (_BLOCK_PX * h)) * ceil(self.height / (_BLOCK_PX * v))

    @property
    def _largest(self) -> tuple[int, int]:
        return max(h for h, _ in self.samplings), max(v for _, v in self.samplings)


def is_frame(marker: int) -> bool:
    """Whether a segment is a frame header.

    Raises:
        UnsupportedFormat: Of a kind that is not decoded here.
    """
    if marker in _OTHERS:
        raise UnsupportedFormat("This kind of JPEG (lossless, hierarchical or arithmetic) is not supported.")
    return marker in (_BASELINE, _EXTENDED, _PROGRESSIVE)


def parse(marker: int, body: bytes) -> Frame:
    """Read a frame header.

    Raises:
        InvalidImage: It is too short or makes no sense.
        UnsupportedFormat: Another number of components than a photo has.
    """
    try:
        precision, height, width, components = struct.unpack_from(">BHHB", body)
    except struct.error:
        raise InvalidImage("The JPEG's frame header is too short.") from None
    samplings = tuple((sampling >> 4, sampling & 15) for sampling in body[7 : 6 + 3 * components : 3])
    factors = {factor for sampling in samplings for factor in sampling}
    if not width or not height or len(samplings) != components or not factors <= _FACTORS:
        raise InvalidImage("The JPEG's frame header makes no sense.")
    if components not in (1, 3, 4):
        raise UnsupportedFormat(f"A JPEG with {components} components is not supported.")
    if any(max(factors) % factor for factors in zip(*samplings, strict=True) for factor in factors):
        raise UnsupportedFormat("A JPEG in which one color has 2/3 or 3/4 of another's samples is not supported.")
    return Frame(marker == _PROGRESSIVE, precision, height, width, samplings)
