"""Tampering with HEICs, box by box; their pictures stand first, so that offsets hold whatever becomes of the tables."""

import struct
from dataclasses import dataclass, field

from bench.fuzz_photos.dice import Dice

_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iinf": 6, b"iref": 4}  # bytes before their first box
_FIELDS = {  # offset and size of the fields worth changing
    b"ispe": [(4, 4), (8, 4)],
    b"clap": [(offset, 4) for offset in range(0, 32, 4)],
    b"irot": [(0, 1)],
    b"imir": [(0, 1)],
    b"pitm": [(4, 2), (0, 1)],
    b"infe": [(0, 1), (4, 2), (8, 4)],
    b"iloc": [(0, 1), (4, 2), (6, 2), *[(offset, 4) for offset in range(14, 62, 2)], (12, 2)],
    b"ipma": [(0, 1), (3, 1), (4, 4), (8, 2), (10, 1), (11, 1), (12, 1), (13, 1)],
    b"dimg": [(0, 2), (2, 2), (4, 2), (6, 2)],
    b"auxl": [(0, 2), (2, 2), (4, 2)],
    b"hvcC": [(21, 1), (22, 1), (23, 1), (24, 2), (26, 2), (16, 1), (17, 1), (18, 1)],
    b"pixi": [(4, 1), (5, 1)],
    b"iinf": [(0, 1), (4, 2)],
}
_LARGE_PROFILE = b"prof" + bytes(1 << 20)
_KINDS = (b"hvc1", b"grid", b"iovl", b"iden", b"av01", b"unci", b"jpeg", b"j2k1", b"mski", b"tmap", b"Exif")


@dataclass(slots=True)
class _Box:
    name: bytes
    head: bytes  # the fields before the first box in it, or all of its body
    inside: "list[_Box]" = field(default_factory=list)

    def written(self, dice: Dice) -> bytes:
        body = self.head + b"".join(box.written(dice) for box in self.inside)
        size = dice.choice([0, 1, 7, dice.number(32)]) if dice.chance(0.003) else len(body) + 8
        return struct.pack(">I4s", size, self.name) + body


def tamper(photo: bytes, dice: Dice, profile: bytes) -> bytes:
    """Change one to four things in boxes, in derivations or in coded pictures."""
    boxes = _parsed(photo)
    for _ in range(dice.randint(1, 4)):
        known = list(_all(boxes))
        box = dice.choice([box for box in known if box.name != b"mdat"] or known)
        kind = dice.randrange(9)
        if kind < 4:
            fields = _FIELDS.get(box.name, [(dice.randrange(max(1, len(box.head))), 1)])
            box.head = dice.field(box.head, *dice.choice(fields))
        elif kind == 4:
            dice.shuffled(dice.choice([holder.inside for holder in known if holder.inside] or [boxes]))
        elif kind == 5:
            _change_pictures(known, dice)
        elif kind == 6:
            box.head = dice.flipped(box.head)
        elif kind == 7:
            _add_property(known, dice, profile)
        else:
            _change_kind(known, dice)
    written = b"".join(box.written(dice) for box in boxes)
    return dice.cut(written) if dice.chance(0.03) else written


def _parsed(data: bytes) -> list[_Box]:
    boxes, position = [], 0
    while position + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + size]
        start = _CONTAINERS.get(name)
        boxes.append(_Box(name, body) if start is None else _Box(name, body[:start], _parsed(body[start:])))
        position += size
    return boxes


def _all(boxes: list[_Box]) -> "list[_Box]":
    return [found for box in boxes for found in (box, *_all(box.inside))]


def _change_pictures(known: list[_Box], dice: Dice) -> None:
    """The head of the pictures is that of the grid or canvas, where there is one; units of the stream follow."""
    for box in known:
        if box.name == b"mdat":
            head = dice.choice([12, 12, 40, len(box.head)])
            box.head = dice.flipped(box.head[:head]) + box.head[head:]


def _add_property(known: list[_Box], dice: Dice, profile: bytes) -> None:
    """One more property, for an item that had room in its list."""
    new = dice.choice(
        [
            _Box(b"irot", bytes([dice.randrange(4)])),
            _Box(b"imir", bytes([dice.randrange(2)])),
            _Box(b"clap", struct.pack(">8I", *[dice.choice([1, 2, 64, dice.number(32)]) for _ in range(8)])),
            _Box(b"colr", b"prof" + dice.flipped(profile, 40)),
            _Box(b"colr", _LARGE_PROFILE),
            _Box(b"ispe", struct.pack(">III", 0, dice.number(16), dice.number(16))),
        ]
    )
    for box in known:
        if box.name == b"ipco":
            box.inside.insert(dice.randrange(len(box.inside) + 1), new)


def _change_kind(known: list[_Box], dice: Dice) -> None:
    infos = [box for box in known if box.name == b"infe"]
    if infos:
        info = dice.choice(infos)
        info.head = info.head[:8] + dice.choice(_KINDS) + info.head[12:]
