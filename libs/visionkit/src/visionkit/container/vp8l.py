"""Lossless WebP streams, as far as it takes to know what tables a decoder will build (RFC 9649, section 3).

A stream may split its picture into blocks with their own prefix codes, up to 65,536 groups of them. A decoder builds
tables for each, so that 300 KB can take 380 MB whatever the picture's size.
"""

from typing import NamedTuple

from servicekit.errors import InvalidImage

_SUBTRACT_GREEN, _INDEXING = 2, 3
_LENGTHS, _DISTANCES, _CHANNEL = 24, 40, 256  # symbols of an alphabet
_CODE_LENGTH_ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_MAX_GROUPS = 1 << 16
_MANY_GROUPS = 10_000  # whose tables take 120 MB; honest pictures have hundreds at most
_DENSE_GROUPS = 1_000  # libwebp keeps unused groups, too, while there are fewer than these
_MAX_READ_PX = 150_000  # of small pictures in front of the large one; encoders write a tenth of that
_PEEK_BYTES = 8

_Code = tuple[int, list[tuple[int, int]]]  # bits to look at, and symbol and length for each value of them


class Tables(NamedTuple):
    """What a decoder holds beside the pixels: groups of prefix codes, and pixels of small pictures that steer it."""

    groups: int
    steering_pixels: int


def read_tables(stream: memoryview, wh: tuple[int, int]) -> Tables:
    """Read a stream from its first transform on, up to the picture itself; an upper bound, and never more.

    Args:
        stream: Without the header that holds the size.
        wh: The picture's width and height.

    Raises:
        InvalidImage: The stream is damaged or too short.
    """
    reader = _Reader(stream)
    width, height = wh
    steering, kinds = 0, set[int]()
    while reader.bits(1):
        kind = reader.bits(2)
        if kind in kinds:
            raise InvalidImage("The WebP is damaged: a transform comes twice.")
        kinds.add(kind)
        if kind == _INDEXING:
            colors = reader.bits(8) + 1
            reader.skip_picture(colors)
            width = _ceil_shift(width, _packing(colors))
        elif kind != _SUBTRACT_GREEN:
            blocks = _blocks(width, height, reader.bits(3) + 2)
            steering += blocks
            if steering > _MAX_READ_PX:
                return Tables(min(_MAX_GROUPS, _blocks(*wh, 2)), steering + 2 * _blocks(*wh, 2))
            reader.skip_picture(blocks)
    if reader.bits(1):
        reader.bits(4)  # the color cache of the picture itself: at most 8 KiB
    return _read_groups(reader, (width, height), steering)


def _read_groups(reader: "_Reader", wh: tuple[int, int], steering: int) -> Tables:
    """The picture that says which block has which group of prefix codes, if there is one."""
    if not reader.bits(1):
        return Tables(1, steering)
    blocks = _blocks(*wh, reader.bits(3) + 2)
    steering += blocks
    if steering > _MAX_READ_PX:
        return Tables(min(_MAX_GROUPS, blocks), steering)
    used = {0}
    reader.skip_picture(blocks, used)
    if len(used) > _MANY_GROUPS:
        return Tables(min(_MAX_GROUPS, blocks), steering)
    return Tables(max(len(used), min(max(used) + 1, _DENSE_GROUPS)), steering)


class _Reader:
    """Bits, least significant first, and what is coded with them."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._position = 0

    def bits(self, count: int) -> int:
        """The next bits as a number."""
        value = self._peek() & (1 << count) - 1
        self._position += count
        return value

    def skip_picture(self, pixels: int, named: set[int] | None = None) -> None:
        """Read past a small picture; into `named` go its values of red and green, as 16 bits, until they are many.

        Copies of earlier pixels and colors out of the cache name no new ones.
        """
        cache = 1 << self.bits(4) if self.bits(1) else 0
        sizes = (_CHANNEL + _LENGTHS + cache, _CHANNEL, _CHANNEL, _CHANNEL, _DISTANCES)
        green, red, blue, alpha, distance = codes = [self._code(size) for size in sizes]
        if not any(width for width, _ in codes):  # not a bit for a pixel: all are alike
            pixels = 1
        while pixels > 0 and (named is None or len(named) <= _MANY_GROUPS):
            symbol = self._symbol(green)
            if symbol < _CHANNEL:
                value = self._symbol(red) << 8 | symbol
                if named is not None:
                    named.add(value)
                self._symbol(blue)
                self._symbol(alpha)
                pixels -= 1
            elif symbol < _CHANNEL + _LENGTHS:
                pixels -= self._prefixed(symbol - _CHANNEL)
                self._prefixed(self._symbol(distance))
            else:
                pixels -= 1
            if self._position > 8 * len(self._data):
                raise InvalidImage("The WebP is truncated or damaged.")

    def _prefixed(self, prefix: int) -> int:
        """A length or distance: a prefix, and more bits for large ones."""
        if prefix < 4:
            return prefix + 1
        more = (prefix - 2) >> 1
        return ((2 + (prefix & 1)) << more) + self.bits(more) + 1

    def _symbol(self, code: _Code) -> int:
        width, table = code
        symbol, length = table[self._peek() & (1 << width) - 1]
        self._position += length
        return symbol

    def _code(self, size: int) -> _Code:
        if not self.bits(1):
            return _table(self._code_lengths(size))
        two = self.bits(1)
        first = self.bits(8 if self.bits(1) else 1)
        if not two:
            return 0, [(first, 0)]
        return 1, [(first, 1), (self.bits(8), 1)]

    def _code_lengths(self, size: int) -> list[int]:
        lengths = [0] * len(_CODE_LENGTH_ORDER)
        for symbol in _CODE_LENGTH_ORDER[: self.bits(4) + 4]:
            lengths[symbol] = self.bits(3)
        code = _table(lengths)
        left = 2 + self.bits(2 + 2 * self.bits(3)) if self.bits(1) else size
        found: list[int] = []
        previous = 8
        while len(found) < size and left > 0:
            left -= 1
            symbol = self._symbol(code)
            if symbol < 16:
                found.append(symbol)
                previous = symbol or previous
            elif symbol == 16:
                found += [previous] * (3 + self.bits(2))
            else:
                found += [0] * (3 + self.bits(3) if symbol == 17 else 11 + self.bits(7))
        if len(found) > size:
            raise InvalidImage("The WebP is damaged: a prefix code is too long.")
        return found

    def _peek(self) -> int:
        start = self._position >> 3
        return int.from_bytes(self._data[start : start + _PEEK_BYTES], "little") >> (self._position & 7)


def _table(lengths: list[int]) -> _Code:
    """The canonical code of these lengths, looked up by bits in the order of the stream."""
    used = [(length, symbol) for symbol, length in enumerate(lengths) if length]
    if len(used) == 1:
        return 0, [(used[0][1], 0)]
    width = max((length for length, _ in used), default=0)
    if sum(1 << width - length for length, _ in used) != 1 << width:
        raise InvalidImage("The WebP is damaged: a prefix code is not complete.")
    table = [(0, 0)] * (1 << width)
    code, last = 0, 0
    for length, symbol in sorted(used):
        code <<= length - last
        table[_reversed(code, length) :: 1 << length] = [(symbol, length)] * (1 << width - length)
        code, last = code + 1, length
    return width, table


def _reversed(code: int, length: int) -> int:
    return int(f"{code:0{length}b}"[::-1], 2)


def _packing(colors: int) -> int:
    """By which power of two the pixels of a small palette are packed into one."""
    return 0 if colors > 16 else 1 if colors > 4 else 2 if colors > 2 else 3


def _blocks(width: int, height: int, bits: int) -> int:
    return _ceil_shift(width, bits) * _ceil_shift(height, bits)


def _ceil_shift(side: int, bits: int) -> int:
    return (side + (1 << bits) - 1) >> bits
