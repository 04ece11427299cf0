"""Tampering with WebPs, chunk by chunk (RFC 9649)."""

import struct

from bench.fuzz_photos.dice import Dice

_FRAMES = (b"VP8 ", b"VP8L")

Chunks = list[tuple[bytes, bytes]]


def tamper(photo: bytes, dice: Dice, profile: bytes) -> bytes:
    """Change one to three things; sizes fit what is in the chunks most of the time."""
    chunks = _split(photo)
    for _ in range(dice.randint(1, 3)):
        kind = dice.randrange(7)
        if kind == 0:
            _change_frame(chunks, dice)
        elif kind == 1:
            dice.shuffled(chunks)
        elif kind == 2 and chunks:
            place = dice.randrange(len(chunks))
            chunks[place] = chunks[place][0], dice.flipped(chunks[place][1], 8)
        elif kind == 3:
            chunks.insert(dice.randrange(len(chunks) + 1), _new_chunk(dice, profile))
        elif kind == 4:
            chunks.insert(0, (b"VP8X", _canvas(dice)))
        elif kind == 5 and chunks and chunks[0][0] == b"VP8X":
            chunks[0] = b"VP8X", dice.flipped(chunks[0][1], 1)
        else:
            _change_stream(chunks, dice)
    body = b"WEBP" + b"".join(_written(*chunk, dice) for chunk in chunks)
    size = dice.number(32) if dice.chance(0.03) else len(body)
    written = b"RIFF" + struct.pack("<I", size) + body
    return dice.cut(written) if dice.chance(0.05) else written


def _split(photo: bytes) -> Chunks:
    chunks, position = [], 12
    while position + 8 <= len(photo):
        length = int.from_bytes(photo[position + 4 : position + 8], "little")
        chunks.append((photo[position : position + 4], photo[position + 8 : position + 8 + length]))
        position += 8 + length + length % 2
    return chunks


def _written(name: bytes, body: bytes, dice: Dice) -> bytes:
    size = dice.number(32) if dice.chance(0.01) else len(body)
    return name + struct.pack("<I", size) + body + bytes(len(body) % 2)


def _canvas(dice: Dice) -> bytes:
    sides = [dice.choice([95, 63, dice.number(14)]) for _ in range(2)]
    flags = dice.choice([0, 0x10, 0x02, 0x20, 0x3E])
    return bytes([flags, 0, 0, 0]) + b"".join(side.to_bytes(3, "little") for side in sides)


def _change_frame(chunks: Chunks, dice: Dice) -> None:
    for place, (name, body) in enumerate(chunks):
        if name == b"VP8 ":
            side = dice.choice([6, 8])
            chunks[place] = name, body[:side] + struct.pack("<H", dice.number(16)) + body[side + 2 :]
        elif name == b"VP8L":
            bits = dice.number(14) | dice.number(14) << 14 | dice.randrange(2) << 28 | dice.randrange(2) << 29
            chunks[place] = name, body[:1] + struct.pack("<I", bits) + body[5:]


def _change_stream(chunks: Chunks, dice: Dice) -> None:
    """Bits near the start of a lossless stream: transforms, block sizes, prefix codes."""
    for place, (name, body) in enumerate(chunks):
        if name in (*_FRAMES, b"ALPH"):
            head = dice.choice([1, 12, 60, 400])
            chunks[place] = name, body[:5] + dice.flipped(body[5 : 5 + head]) + body[5 + head :]


def _new_chunk(dice: Dice, profile: bytes) -> tuple[bytes, bytes]:
    return dice.choice(
        [
            (b"ICCP", dice.flipped(profile, 40)),
            (b"EXIF", dice.exif()),
            (b"ALPH", bytes([dice.randrange(64)]) + dice.randbytes(dice.choice([4, 60, 2000]))),
            (b"ANIM", dice.randbytes(6)),
            (b"ANMF", dice.randbytes(40)),
            (b"VP8 ", dice.randbytes(30)),
            (b"VP8L", b"\x2f" + dice.randbytes(30)),
            (b"XMP ", dice.randbytes(30)),
            (b"JUNK", dice.randbytes(31)),
        ]
    )
