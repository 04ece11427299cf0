"""Tampering with PNGs, chunk by chunk, their checksums right most of the time."""

import struct
import zlib
from collections.abc import Callable

from bench.fuzz_photos.dice import Dice
from bench.photos.encode import PNG_START, png_chunk

_WRONG_CHECKSUM = 0.03
_BOMB = zlib.compress(bytes(8 << 20))

Chunks = list[tuple[bytes, bytes]]


def tamper(photo: bytes, dice: Dice, profile: bytes) -> bytes:
    """Change one to three things."""
    chunks = _split(photo)
    for _ in range(dice.randint(1, 3)):
        kind = dice.randrange(6)
        if kind == 0:
            _change(
                chunks, b"IHDR", lambda body: dice.field(body, *dice.choice(((0, 4), (4, 4), (8, 1), (9, 1), (12, 1))))
            )
        elif kind == 1:
            dice.shuffled(chunks)
        elif kind == 2 and chunks:
            place = dice.randrange(len(chunks))
            chunks[place] = chunks[place][0], dice.flipped(chunks[place][1])
        elif kind == 3:
            chunks.insert(dice.randrange(len(chunks) + 1), _new_chunk(dice, profile))
        elif kind == 4:
            _change(chunks, b"IDAT", lambda body: _repacked(body, dice))
        else:
            _split_pixels(chunks, dice)
    written = PNG_START + b"".join(_written(*chunk, dice) for chunk in chunks)
    return dice.cut(written) if dice.chance(0.05) else written


def _split(photo: bytes) -> Chunks:
    chunks, position = [], len(PNG_START)
    while position < len(photo):
        length = int.from_bytes(photo[position : position + 4], "big")
        chunks.append((photo[position + 4 : position + 8], photo[position + 8 : position + 8 + length]))
        position += 12 + length
    return chunks


def _written(name: bytes, body: bytes, dice: Dice) -> bytes:
    if dice.chance(_WRONG_CHECKSUM):
        return struct.pack(">I", dice.choice([len(body), dice.number(32)])) + name + body + dice.randbytes(4)
    return png_chunk(name, body)


def _change(chunks: Chunks, wanted: bytes, change: Callable[[bytes], bytes]) -> None:
    for place, (name, body) in enumerate(chunks):
        if name == wanted:
            chunks[place] = name, change(body)
            return


def _new_chunk(dice: Dice, profile: bytes) -> tuple[bytes, bytes]:
    header = struct.pack(">IIBBBBB", dice.number(14), dice.number(14), 8, dice.choice([0, 2, 3, 4, 6]), 0, 0, 0)
    return dice.choice(
        [
            (b"IHDR", header),
            (b"tRNS", dice.randbytes(dice.choice([0, 1, 2, 6, 256, 300]))),
            (b"tRNS", struct.pack(">H", dice.number(16))),
            (b"PLTE", dice.randbytes(dice.choice([0, 3, 4, 30, 768, 900]))),
            (b"iCCP", b"x\0\0" + zlib.compress(profile)),
            (b"iCCP", b"x\0\0" + zlib.compress(dice.flipped(profile, 40))),
            (b"iCCP", b"x\0\0" + _BOMB),
            (b"zTXt", b"x\0\0" + _BOMB),
            (b"iTXt", b"x\0\1\0\0\0" + _BOMB),
            (b"eXIf", dice.exif()),
            (b"acTL", struct.pack(">II", dice.number(8), 0)),
            (b"fcTL", dice.randbytes(26)),
            (b"fdAT", dice.randbytes(40)),
            (b"IDAT", dice.randbytes(dice.randrange(40))),
            (b"IEND", b""),
            (b"gAMA", dice.randbytes(4)),
            (b"sBIT", dice.randbytes(3)),
        ]
    )


def _repacked(packed: bytes, dice: Dice) -> bytes:
    """Other rows, packed anew: filters that do not exist, too few rows, many times too many."""
    try:
        rows = zlib.decompress(packed)
    except zlib.error:
        return packed
    return zlib.compress(dice.choice([dice.flipped(rows, 30), dice.cut(rows), rows * dice.choice([2, 20])]), 1)


def _split_pixels(chunks: Chunks, dice: Dice) -> None:
    for place, (name, body) in enumerate(chunks):
        if name == b"IDAT":
            cut = dice.randrange(len(body) + 1)
            between = [_new_chunk(dice, b"")] if dice.chance(0.3) else []
            chunks[place : place + 1] = [(name, body[:cut]), *between, (name, body[cut:])]
            return
