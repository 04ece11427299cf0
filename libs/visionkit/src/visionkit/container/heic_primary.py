"""The main picture of a HEIC file as a file of its own, so that a decoder sees what was counted and nothing else.

Left out are thumbnails, depth and gain maps, other pictures, sequences, metadata, and what a stream holds beside its
picture. The pixels are taken over as they are coded.
"""

import struct
from collections.abc import Iterable, Sequence

from servicekit.errors import InvalidImage

from visionkit.container import hevc
from visionkit.container.heic import read_primary
from visionkit.container.isobmff import Item

_BRANDS = b"heic\0\0\0\0mif1heic"
_REFERENCES = (b"dimg", b"auxl", b"prem")
_MAX_PROPERTIES, _MAX_PROPERTY_BYTES = 127, 1 << 20  # of all parts; tiles share theirs


def extract(data: bytes) -> bytes:
    """Write the main picture with all that it is made of; at most as large as `data` and its tables.

    Raises:
        InvalidImage: Damaged, or its parts overlap.
        UnsupportedFormat: A part of the picture is not one HEVC still.
    """
    items, pictures = read_primary(data)
    numbers = {picture.number: place for place, picture in enumerate(pictures, 1)}
    kept = [items[number] for number in numbers]
    if sum(item.size_bytes for item in kept) > len(data):
        raise InvalidImage("The HEIC file is damaged: parts of its picture overlap.")
    contents = [_content(item) for item in kept]
    sizes = [sum(map(len, content)) for content in contents]
    head = _box(b"ftyp", _BRANDS)
    tables = [_infos(kept), _references(kept, numbers), _properties(kept)]
    start = len(head) + len(_meta(tables, _locations(sizes, 0))) + 8
    meta = _meta(tables, _locations(sizes, start))
    return b"".join(
        [head, meta, struct.pack(">I4s", 8 + sum(sizes), b"mdat"), *(piece for c in contents for piece in c)]
    )


def _content(item: Item) -> Sequence[memoryview]:
    configuration = item.property(b"hvcC")
    if item.kind != b"hvc1" or configuration is None:
        return item.extents
    _, length_bytes = hevc.read_configuration(configuration)
    whole = item.extents[0] if len(item.extents) == 1 else memoryview(b"".join(item.extents))
    return hevc.picture_units(whole, length_bytes)


def _meta(tables: Iterable[bytes], locations: bytes) -> bytes:
    handler = _full_box(b"hdlr", struct.pack(">I4s13x", 0, b"pict"))
    return _full_box(b"meta", b"".join([handler, _full_box(b"pitm", struct.pack(">H", 1)), locations, *tables]))


def _infos(items: Sequence[Item]) -> bytes:
    entries = (
        _full_box(b"infe", struct.pack(">HH4sx", place, 0, item.kind), version=2) for place, item in enumerate(items, 1)
    )
    return _full_box(b"iinf", struct.pack(">H", len(items)) + b"".join(entries))


def _locations(sizes: Sequence[int], start: int) -> bytes:
    """One extent for each item, in a row."""
    entries = []
    for place, size in enumerate(sizes, 1):
        entries.append(struct.pack(">HHHII", place, 0, 1, start, size))
        start += size
    return _full_box(b"iloc", struct.pack(">HH", 0x4400, len(sizes)) + b"".join(entries))


def _references(items: Sequence[Item], numbers: dict[int, int]) -> bytes:
    entries = []
    for place, item in enumerate(items, 1):
        for name in _REFERENCES:
            targets = [numbers[to] for to in item.references.get(name, []) if to in numbers]
            if targets:
                entries.append(_box(name, struct.pack(f">HH{len(targets)}H", place, len(targets), *targets)))
    return _full_box(b"iref", b"".join(entries)) if entries else b""


def _properties(items: Sequence[Item]) -> bytes:
    places: dict[tuple[bytes, bytes], int] = {}
    entries = []
    for number, item in enumerate(items, 1):
        associations = [
            essential << 7 | places.setdefault((name, bytes(body)), len(places) + 1)
            for name, body, essential in item.properties
        ]
        if len(places) > _MAX_PROPERTIES or sum(len(body) for _, body in places) > _MAX_PROPERTY_BYTES:
            raise InvalidImage("The HEIC file is damaged: its picture has too many properties.")
        entries.append(struct.pack(f">HB{len(associations)}B", number, len(associations), *associations))
    container = _box(b"ipco", b"".join(_box(name, body) for name, body in places))
    return _box(b"iprp", container + _full_box(b"ipma", struct.pack(">I", len(items)) + b"".join(entries)))


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def _full_box(name: bytes, body: bytes, *, version: int = 0) -> bytes:
    return _box(name, struct.pack(">I", version << 24) + body)
