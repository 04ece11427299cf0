"""A lossless WebP that names as many groups of prefix codes as the format allows (RFC 9649, section 3)."""

import struct

_MAX_GROUPS = 1 << 16
_BLOCK_PX = 4
_CODE_LENGTH_ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8)


class _Bits:
    def __init__(self) -> None:
        self._value, self._count, self._done = 0, 0, bytearray()

    def put(self, value: int, count: int) -> None:
        self._value |= value << self._count
        self._count += count
        while self._count >= 8:
            self._done.append(self._value & 0xFF)
            self._value >>= 8
            self._count -= 8

    def done(self) -> bytes:
        return bytes([*self._done, self._value & 0xFF])


def many_groups(side_px: int, groups: int = _MAX_GROUPS) -> bytes:
    """A black square whose blocks of 4 x 4 pixels take turns with `groups` groups of codes; 36 bits for each."""
    bits = _Bits()
    for value, count in ((0x2F, 8), (side_px - 1, 14), (side_px - 1, 14), (0, 1), (0, 3)):
        bits.put(value, count)
    for value, count in ((0, 1), (0, 1), (1, 1), (0, 3)):  # no transform, no cache, blocks of their own, of 4 x 4
        bits.put(value, count)
    blocks = (-(-side_px // _BLOCK_PX)) ** 2
    bits.put(0, 1)
    _put_bytes_code(bits, 280)
    _put_bytes_code(bits, 256)
    for _ in range(3):
        _put_empty_code(bits)
    for block in range(blocks):
        group = block % groups
        bits.put(_reversed(group & 0xFF) | _reversed(group >> 8) << 8, 16)
    for _ in range(5 * min(groups, blocks)):
        _put_empty_code(bits)
    body = bits.done() + bytes(8)
    body += bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", 12 + len(body)) + b"WEBPVP8L" + struct.pack("<I", len(body)) + body


def _put_bytes_code(bits: _Bits, symbols: int) -> None:
    """Eight bits for each of the first 256 symbols."""
    bits.put(0, 1)
    bits.put(len(_CODE_LENGTH_ORDER) - 4, 4)
    for length in _CODE_LENGTH_ORDER:
        bits.put(length in (0, 8), 3)
    bits.put(0, 1)
    for symbol in range(symbols):
        bits.put(symbol < 256, 1)


def _put_empty_code(bits: _Bits) -> None:
    """One symbol, without a bit."""
    bits.put(0b0001, 4)


def _reversed(byte: int) -> int:
    return int(f"{byte:08b}"[::-1], 2)
