"""HEIC files put together box by box, for what no encoder writes (ISO/IEC 23008-12).

Pictures are coded by pillow_heif, one to a file, and their coded bytes and properties laid into a new file.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from visionkit.container.isobmff import boxes, read_items

ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
DEPTH = b"urn:mpeg:hevc:2015:auxid:2\0"


@dataclass(slots=True)
class Part:
    """An item to be written; the first one of a file is the primary.

    Attributes:
        kind: The item's type.
        data: Its bytes.
        properties: Names and bodies, in order; transformations count as essential.
        references: Places of other parts in the file, from 1, by kind of reference.
    """

    kind: bytes
    data: bytes
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    references: dict[bytes, Sequence[int]] = field(default_factory=dict)


def coded(file: bytes) -> Part:
    """The coded picture of a HEIC file, its first one, with its configuration, size and color."""
    view = memoryview(file)
    meta = next(body for name, body in boxes(view) if name == b"meta")
    _, items = read_items(view, meta)
    item = next(item for item in items.values() if item.kind == b"hvc1")
    wanted = (b"hvcC", b"ispe", b"pixi", b"colr")
    properties = [(name, bytes(body)) for name, body, _ in item.properties if name in wanted]
    return Part(b"hvc1", b"".join(item.extents), properties)


def grid(rows: int, columns: int, wh: tuple[int, int], tiles: Sequence[int]) -> Part:
    """A picture laid together from tiles, row by row."""
    body = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *wh)
    return Part(b"grid", body, [size(*wh)], {b"dimg": tiles})


def overlay(wh: tuple[int, int], layers: Sequence[int]) -> Part:
    """Pictures laid on a gray canvas, all at its left upper corner."""
    body = struct.pack(">BB4HII", 0, 1, 32768, 32768, 32768, 65535, *wh) + bytes(8 * len(layers))
    return Part(b"iovl", body, [size(*wh)], {b"dimg": layers})


def derived(of: int, wh: tuple[int, int], *properties: tuple[bytes, bytes]) -> Part:
    """The same picture again, perhaps turned or cropped."""
    return Part(b"iden", b"\0", [size(*wh), *properties], {b"dimg": [of]})


def auxiliary(part: Part, kind: bytes, of: int) -> Part:
    """A coded picture as the alpha or depth plane of another."""
    return Part(
        part.kind, part.data, [*part.properties, (b"auxC", bytes(4) + kind)], {**part.references, b"auxl": [of]}
    )


def size(width: int, height: int) -> tuple[bytes, bytes]:
    """The property that tells a picture's size."""
    return b"ispe", struct.pack(">III", 0, width, height)


def crop(width: int, height: int) -> tuple[bytes, bytes]:
    """The property that shows the middle of a picture."""
    return b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, 0, 1, 0, 1)


def turn(quarters: int) -> tuple[bytes, bytes]:
    """The property that turns a picture counter-clockwise."""
    return b"irot", bytes([quarters])


def file_of(*parts: Part, pictures_first: bool = False) -> bytes:
    """A HEIC file, with its pictures behind its tables or before them."""
    head, pictures = _box(b"ftyp", b"heic\0\0\0\0mif1heic"), _box(b"mdat", b"".join(part.data for part in parts))
    tables = [_infos(parts), _references(parts), _properties(parts)]
    before = 0 if pictures_first else len(_meta(tables, _locations(parts, 0)))
    meta = _meta(tables, _locations(parts, len(head) + before + 8))
    return head + pictures + meta if pictures_first else head + meta + pictures


def _meta(tables: Iterable[bytes], locations: bytes) -> bytes:
    handler = _full_box(b"hdlr", struct.pack(">I4s13x", 0, b"pict"))
    return _full_box(b"meta", b"".join([handler, _full_box(b"pitm", struct.pack(">H", 1)), locations, *tables]))


def _infos(parts: Sequence[Part]) -> bytes:
    entries = [_full_box(b"infe", struct.pack(">HH4sx", n, 0, part.kind), version=2) for n, part in enumerate(parts, 1)]
    return _full_box(b"iinf", struct.pack(">H", len(parts)) + b"".join(entries))


def _locations(parts: Sequence[Part], start: int) -> bytes:
    entries = []
    for n, part in enumerate(parts, 1):
        entries.append(struct.pack(">HHHII", n, 0, 1, start, len(part.data)))
        start += len(part.data)
    return _full_box(b"iloc", struct.pack(">HH", 0x4400, len(parts)) + b"".join(entries))


def _references(parts: Sequence[Part]) -> bytes:
    entries = [
        _box(name, struct.pack(f">HH{len(to)}H", n, len(to), *to))
        for n, part in enumerate(parts, 1)
        for name, to in part.references.items()
    ]
    return _full_box(b"iref", b"".join(entries))


def _properties(parts: Sequence[Part]) -> bytes:
    places: dict[tuple[bytes, bytes], int] = {}
    entries = []
    for n, part in enumerate(parts, 1):
        found = [
            (name in (b"clap", b"irot", b"imir")) << 7 | places.setdefault((name, body), len(places) + 1)
            for name, body in part.properties
        ]
        entries.append(struct.pack(f">HB{len(found)}B", n, len(found), *found))
    container = _box(b"ipco", b"".join(_box(*place) for place in places))
    return _box(b"iprp", container + _full_box(b"ipma", struct.pack(">I", len(parts)) + b"".join(entries)))


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def _full_box(name: bytes, body: bytes, *, version: int = 0) -> bytes:
    return _box(name, struct.pack(">I", version << 24) + body)
