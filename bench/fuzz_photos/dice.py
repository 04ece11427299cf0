"""Chance that can be repeated: all that a case does follows from its seed."""

import random
import struct
from collections.abc import MutableSequence
from typing import TypeVar

EDGES = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 255, 256, 1000, 4095, 8192, 16383, 32767, 65535)
"""Numbers at which fields of some width end, or behave otherwise."""

WIDE_EDGES = (*EDGES, 65536, 100_000, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)

Thing = TypeVar("Thing")


class Dice(random.Random):
    """Draws of the kinds that tampering needs."""

    def chance(self, share: float) -> bool:
        """True in that share of the draws."""
        return self.random() < share

    def number(self, bits: int) -> int:
        """A number of that many bits, most often an edge or a small one."""
        drawn = self.choice([self.choice(WIDE_EDGES), self.randrange(300), self.getrandbits(bits)])
        return drawn & (1 << bits) - 1

    def flipped(self, data: bytes, most: int = 4) -> bytes:
        """Some bytes replaced."""
        if not data:
            return data
        changed = bytearray(data)
        for _ in range(self.randint(1, most)):
            changed[self.randrange(len(changed))] = self.choice([0, 255, self.getrandbits(8), self.getrandbits(8)])
        return bytes(changed)

    def cut(self, data: bytes) -> bytes:
        """Without an end, or with a longer one."""
        return data[: self.randrange(len(data) + 1)] if self.chance(0.7) else data + self.randbytes(self.randrange(64))

    def shuffled(self, things: MutableSequence[Thing]) -> None:
        """Doubles, removes or moves one of them, in place."""
        if not things:
            return
        place, kind = self.randrange(len(things)), self.randrange(3)
        thing = things[place]
        if kind:
            del things[place]
        if kind != 1:
            things.insert(self.randrange(len(things) + 1), thing)

    def field(self, data: bytes, offset: int, size: int) -> bytes:
        """One big-endian field of `size` bytes set anew; unchanged where the data are too short."""
        if offset + size > len(data):
            return data
        return data[:offset] + self.number(8 * size).to_bytes(size, "big") + data[offset + size :]

    def exif(self) -> bytes:
        """A TIFF block with some orientation, sound or not."""
        entries = [(0x0112, self.choice([3, 4, 9]), self.choice([1, 1, 1, 0, 9]), self.number(16)) for _ in range(2)]
        order = self.choice("<>")
        body = struct.pack(f"{order}H", self.choice([1, 2, 65535]))
        body += b"".join(struct.pack(f"{order}HHIHH", *entry, 0) for entry in entries)
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(
            f"{order}I", self.choice([8, 8, 8, self.number(32)])
        )
        tiff = head + body + bytes(4) + bytes(self.choice([0, 0, 100_000]))
        return self.flipped(tiff) if self.chance(0.5) else tiff
