"""HEVC, as far as it tells how large the decoded picture will be (ITU-T H.265, ISO/IEC 14496-15)."""

from typing import NamedTuple

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container.isobmff import Fields

_SPS, _PPS = 33, 34
_STILLS = frozenset({19, 20})  # instantaneous decoder refreshes: a decoder makes up what another kind refers to
_SLICES = range(32)
_FIRST_SLICE = 0x80
_MAX_SLICES = 600  # of a picture, at the highest level (annex A)
_MAX_UNITS = 10_000  # of an item, with those that are left out
_HEAD_BYTES = 512  # of a sequence parameter set; the fields read here end before
_MAX_BLOCK_BITS = 6
_SUBSAMPLING_WH = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}
_SAMPLES_PER_PX = {0: 1.0, 1: 1.5, 2: 2.0, 3: 3.0}


class Coded(NamedTuple):
    """A picture as it is coded.

    Attributes:
        coded_wh: What is decoded, in whole blocks.
        shown_wh: What is left after the window that the stream names.
        bit_depth: Bits of a sample, 8 to 16.
        samples_per_px: 1 gray, 1.5 with 4:2:0 chroma, 2 with 4:2:2, 3 with 4:4:4.
        blocks: How many coding tree blocks there are, of 8 to 64 pixels a side.
    """

    coded_wh: tuple[int, int]
    shown_wh: tuple[int, int]
    bit_depth: int
    samples_per_px: float
    blocks: int


def read_configuration(body: memoryview) -> tuple[Coded, int]:
    """Read an `hvcC` property: the picture, and how many bytes the length before each unit takes.

    Raises:
        InvalidImage: Damaged.
        UnsupportedFormat: There is not exactly one size that the picture can have.
    """
    fields = Fields(body)
    fields.take(21)
    length_bytes = (fields.uint(1) & 3) + 1
    sequences, pictures = [], 0
    for _ in range(fields.uint(1)):
        kind = fields.uint(1) & 0x3F
        for _ in range(fields.uint(2)):
            unit = fields.take(fields.uint(2))
            pictures += kind == _PPS
            if len(unit) < 2 or unit[0] >> 1 & 0x3F != kind or kind in _SLICES:
                raise InvalidImage("The HEIC file is damaged: a parameter set is not what it is said to be.")
            if kind == _SPS:
                sequences.append(unit)
    if len(sequences) != 1 or pictures != 1:  # a decoder keeps tables of the picture's size for each of the latter
        raise UnsupportedFormat("A HEIC photo with several parameter sets is not supported.")
    return _read_sequence(sequences[0]), length_bytes


def picture_units(data: memoryview, length_bytes: int) -> list[memoryview]:
    """The slices of an item's only picture, each with its length before it; whatever else the item holds is left out.

    Raises:
        InvalidImage: The lengths do not add up, or there is no picture.
        UnsupportedFormat: There are several pictures, or more slices than any level allows.
    """
    units, position, pictures = [], 0, 0
    for _ in range(_MAX_UNITS):
        if position >= len(data):
            break
        start = position + length_bytes
        end = start + int.from_bytes(data[position:start], "big")
        if end > len(data) or end < start + 3:
            raise InvalidImage("The HEIC file is damaged: its picture ends too early.")
        kind, layer = data[start] >> 1 & 0x3F, (data[start] & 1) << 5 | data[start + 1] >> 3
        if kind in _SLICES and layer == 0:
            pictures += data[start + 2] >= _FIRST_SLICE
            units.append(data[position:end])
            if kind not in _STILLS or pictures > 1 or len(units) > _MAX_SLICES:
                raise UnsupportedFormat("Part of the HEIC photo is a video, or has more than 600 slices.")
        position = end
    if not pictures or position < len(data):
        raise InvalidImage("The HEIC file is damaged: it has no picture, or thousands of parts.")
    return units


class _Bits:
    """Numbers of any count of bits, and Exp-Golomb codes (clause 9.2)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        if count > self._left:
            raise InvalidImage("The HEIC file is damaged: a parameter set is too short.")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def golomb(self) -> int:
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)


def _read_sequence(unit: memoryview) -> Coded:
    bits = _Bits(bytes(unit[2:_HEAD_BYTES]).replace(b"\0\0\3", b"\0\0"))
    bits.read(4)
    sub_layers = bits.read(3)
    bits.read(1)
    _skip_profile(bits, sub_layers)
    bits.golomb()
    chroma = bits.golomb()
    if chroma not in _SAMPLES_PER_PX or (chroma == 3 and bits.read(1)):
        raise UnsupportedFormat("A HEIC photo whose color planes are coded apart is not supported.")
    width, height = bits.golomb(), bits.golomb()
    left, right, top, bottom = [bits.golomb() for _ in range(4)] if bits.read(1) else (0, 0, 0, 0)
    depth = 8 + max(bits.golomb(), bits.golomb())
    bits.golomb()
    for _ in range(1 if not bits.read(1) else 1 + sub_layers):
        bits.golomb(), bits.golomb(), bits.golomb()
    block_bits = 3 + bits.golomb() + bits.golomb()
    unit_w, unit_h = _SUBSAMPLING_WH[chroma]
    shown = width - unit_w * (left + right), height - unit_h * (top + bottom)
    if min(shown) < 1 or depth > 16 or block_bits > _MAX_BLOCK_BITS:
        raise InvalidImage("The HEIC file is damaged: its picture makes no sense.")
    blocks = -(-width >> block_bits) * -(-height >> block_bits)
    return Coded((width, height), shown, depth, _SAMPLES_PER_PX[chroma], blocks)


def _skip_profile(bits: _Bits, sub_layers: int) -> None:
    bits.read(96)
    present = [(bits.read(1), bits.read(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.read(2 * (8 - sub_layers))
    for profile, level in present:
        bits.read(88 * profile + 8 * level)
