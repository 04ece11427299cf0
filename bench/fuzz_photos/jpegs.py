"""Tampering with JPEGs, marker segment by marker segment (ITU-T T.81, annex B)."""

import struct

from bench.fuzz_photos.dice import Dice

_FRAMES = tuple(range(0xC0, 0xD0))
_SOF0, _DHT, _SOS, _EOI, _DQT, _DRI, _APP1, _APP2, _APP14 = 0xC0, 0xC4, 0xDA, 0xD9, 0xDB, 0xDD, 0xE1, 0xE2, 0xEE
_MOST_BODY_BYTES = 65_533

Segments = list[tuple[int, bytes]]


def tamper(photo: bytes, dice: Dice, profile: bytes) -> bytes:
    """Change one to three things; the lengths of segments fit what is in them unless they were changed."""
    segments, pixels = _split(photo)
    for _ in range(dice.randint(1, 3)):
        if dice.chance(0.4):
            pixels = dice.choice([_flipped, _with_markers, _cut])(pixels, dice)
        else:
            change = dice.choice([_change_frame, _change_scan, _change_segment, _add_segment, _shuffle])
            change(segments, dice, profile)
    return b"\xff\xd8" + b"".join(_written(*segment, dice) for segment in segments) + pixels


def _flipped(pixels: bytes, dice: Dice) -> bytes:
    return dice.flipped(pixels, 8)


def _cut(pixels: bytes, dice: Dice) -> bytes:
    return dice.cut(pixels)


def _shuffle(segments: Segments, dice: Dice, _profile: bytes) -> None:
    dice.shuffled(segments)


def _change_segment(segments: Segments, dice: Dice, _profile: bytes) -> None:
    if segments:
        place = dice.randrange(len(segments))
        segments[place] = segments[place][0], dice.flipped(segments[place][1])


def _add_segment(segments: Segments, dice: Dice, profile: bytes) -> None:
    segments.insert(dice.randrange(len(segments) + 1), _new_segment(dice, profile))


def _split(photo: bytes) -> tuple[Segments, bytes]:
    """The segments up to the first scan, and all that follows its header."""
    segments: Segments = []
    position = 2
    while True:
        marker, length = photo[position + 1], int.from_bytes(photo[position + 2 : position + 4], "big")
        segments.append((marker, photo[position + 4 : position + 2 + length]))
        position += 2 + length
        if marker == _SOS:
            return segments, photo[position:]


def _written(marker: int, body: bytes, dice: Dice) -> bytes:
    length = dice.number(16) if dice.chance(0.01) else len(body[:_MOST_BODY_BYTES]) + 2
    filling = b"\xff" * dice.randrange(4) + b"\0" * dice.randrange(3) if dice.chance(0.02) else b""
    return filling + b"\xff" + bytes([marker]) + struct.pack(">H", length) + body[:_MOST_BODY_BYTES]


def _change_frame(segments: Segments, dice: Dice, _profile: bytes) -> None:
    for place, (marker, body) in enumerate(segments):
        if marker in (0xC0, 0xC1, 0xC2):
            kind = dice.randrange(5)
            if kind == 0:
                segments[place] = dice.choice(_FRAMES), body
            elif kind == 1:
                segments[place] = marker, dice.field(body, dice.choice([1, 3]), 2)
            elif kind == 2:
                segments[place] = marker, dice.field(body, dice.choice([0, 5, *range(6, 15)]), 1)
            else:
                segments[place] = marker, _sampled(body, dice)
            return


def _sampled(frame: bytes, dice: Dice) -> bytes:
    """Other sampling factors for every component."""
    changed = bytearray(frame)
    for place in range(7, len(frame), 3):
        changed[place] = dice.choice([0x11, 0x12, 0x21, 0x22, 0x41, 0x14, 0x44])
    return bytes(changed)


def _change_scan(segments: Segments, dice: Dice, _profile: bytes) -> None:
    if segments:
        marker, body = segments[-1]
        segments[-1] = marker, dice.field(body, dice.randrange(max(1, len(body))), 1)


def _new_segment(dice: Dice, profile: bytes) -> tuple[int, bytes]:
    return dice.choice(
        [
            (_APP1, b"Exif\0\0" + dice.exif()),
            (_APP2, b"ICC_PROFILE\0" + bytes([dice.choice([1, 1, 2, 0]), dice.choice([1, 1, 2, 255])]) + profile),
            (_APP2, b"ICC_PROFILE\0\1\1" + dice.flipped(profile, 40)),
            (_APP14, b"Adobe\0\x64\0\0\0\0" + bytes([dice.randrange(4)])),
            (_DRI, struct.pack(">H", dice.number(16))),
            (_DQT, bytes([dice.randrange(20)]) + dice.randbytes(dice.choice([64, 128, 63]))),
            (_DHT, bytes([dice.choice([0, 1, 16, 17, 4])]) + dice.randbytes(dice.choice([16, 28, 200]))),
            (_SOF0, dice.randbytes(17)),
            (_SOS, dice.randbytes(10)),
            (dice.randrange(0xC0, 0xFF), dice.randbytes(dice.randrange(40))),
        ]
    )


def _with_markers(pixels: bytes, dice: Dice) -> bytes:
    """With a marker, or a whole scan, in the middle of the pixels or at their end."""
    place = dice.choice([dice.randrange(len(pixels) + 1), max(0, len(pixels) - 2)])
    marker = b"\xff" + bytes([dice.choice([*range(0xD0, 0xD8), _EOI, _SOS, _SOF0, _DRI, 0x00])])
    return pixels[:place] + marker * dice.choice([1, 1, 2, 80]) + dice.randbytes(dice.randrange(12)) + pixels[place:]
