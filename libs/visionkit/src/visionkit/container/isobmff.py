"""Boxes of ISO base media files (ISO/IEC 14496-12) and the items of a `meta` box (ISO/IEC 23008-12), within bounds.

Nothing is copied but numbers: bodies are views of the file. What is damaged, or larger than any photo needs, raises
InvalidImage.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from servicekit.errors import InvalidImage

MAX_ITEMS = 2_000
"""A photo of 200 megapixels has 768 tiles; its depth and gain maps have fewer."""

_MAX_BOXES = 5_000  # beside each other: one for each item, its references and its properties
_MAX_ENTRIES = 16_384  # in a table: extents, references, associations; reading them all takes about a megabyte
_HEADER_BYTES, _LARGE, _TO_THE_END = 8, 1, 0


Property = tuple[bytes, memoryview, bool]
"""Name, body, and whether readers must know it."""


class Fields:
    """Big-endian numbers, read one after the other."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._position = 0

    def uint(self, size: int) -> int:
        """The next `size` bytes as a number; 0 for no bytes."""
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> memoryview:
        """The next `size` bytes."""
        self._position += size
        if self._position > len(self._body):
            raise InvalidImage("The HEIC file is damaged: a box is too short.")
        return self._body[self._position - size : self._position]

    def rest(self) -> memoryview:
        """All that was not read yet."""
        return self._body[self._position :]

    def version(self) -> tuple[int, int]:
        """Version and flags, with which many boxes start."""
        return self.uint(1), self.uint(3)


@dataclass(slots=True)
class Item:
    """A part of the file that `meta` names.

    Attributes:
        kind: Its type, for example `hvc1`.
        extents: Where its bytes are, as pieces of the file.
        properties: In the order of the file.
        references: The items that it refers to, in order, by the kind of reference.
    """

    kind: bytes
    extents: list[memoryview] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    references: dict[bytes, list[int]] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Bytes of all extents."""
        return sum(map(len, self.extents))

    def property(self, name: bytes) -> memoryview | None:
        """The body of the first property of that name."""
        return next((body for known, body, _ in self.properties if known == name), None)


def boxes(body: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield name and body of the boxes in a row; the end of the last one is the end of `body`."""
    position = 0
    for _ in range(_MAX_BOXES):
        if position + _HEADER_BYTES > len(body):
            return
        size, name = int.from_bytes(body[position : position + 4], "big"), bytes(body[position + 4 : position + 8])
        start = position + _HEADER_BYTES
        if size == _LARGE:
            size, start = int.from_bytes(body[start : start + 8], "big"), start + 8
        end = len(body) if size == _TO_THE_END else position + size
        if end < start:
            raise InvalidImage("The HEIC file is damaged: a box has no room for its name.")
        if end > len(body):
            raise InvalidImage("The HEIC file is truncated.")
        yield name, body[start:end]
        position = end
    raise InvalidImage(f"The HEIC file has more than {_MAX_BOXES} boxes in a row.")


def read_items(file: memoryview, meta: memoryview) -> tuple[int, dict[int, Item]]:
    """The number of the primary item, and all items by their numbers.

    Raises:
        InvalidImage: A table is damaged, or an item lies outside the file.
    """
    parts = dict(reversed(list(boxes(_after_version(meta)))))  # of two alike the first counts
    try:
        items = _item_infos(parts[b"iinf"])
        primary = _primary(parts[b"pitm"])
        _add_extents(items, parts[b"iloc"], file, parts.get(b"idat", memoryview(b"")))
        _add_properties(items, parts[b"iprp"])
    except KeyError as missing:
        raise InvalidImage(f"The HEIC file has no {missing.args[0].decode()} box.") from None
    if b"iref" in parts:
        _add_references(items, parts[b"iref"])
    return primary, items


def _after_version(body: memoryview) -> memoryview:
    return body[4:]


def _primary(body: memoryview) -> int:
    fields = Fields(body)
    version, _ = fields.version()
    return fields.uint(2 if version == 0 else 4)


def _item_infos(body: memoryview) -> dict[int, Item]:
    fields = Fields(body)
    version, _ = fields.version()
    fields.uint(2 if version == 0 else 4)
    items: dict[int, Item] = {}
    for name, info in boxes(fields.rest()):
        entry = Fields(info)
        version, _ = entry.version()
        if name != b"infe" or version not in (2, 3):  # older ones name no type: no pictures
            continue
        number = entry.uint(2 if version == 2 else 4)
        entry.uint(2)
        items.setdefault(number, Item(bytes(entry.take(4))))
        if len(items) > MAX_ITEMS:
            raise InvalidImage(f"The HEIC file has more than {MAX_ITEMS} items.")
    return items


def _add_extents(items: dict[int, Item], body: memoryview, file: memoryview, idat: memoryview) -> None:
    fields = Fields(body)
    version, _ = fields.version()
    sizes = fields.uint(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 2 if version < 2 else 4
    entries = 0
    for _ in range(fields.uint(wide)):
        number = fields.uint(wide)
        method = fields.uint(2) & 15 if version else 0
        fields.uint(2)
        base, count = fields.uint(base_size), fields.uint(2)
        entries += 1 + count
        _bound(entries)
        source = {0: file, 1: idat}.get(method, memoryview(b""))
        for _ in range(count):
            if version:
                fields.uint(index_size)
            start, length = base + fields.uint(offset_size), fields.uint(length_size)
            end = start + length if length else len(source)  # 0: all there is
            if number in items:
                items[number].extents.append(source[start:end] if end <= len(source) else memoryview(b""))


def _add_properties(items: dict[int, Item], body: memoryview) -> None:
    parts = list(boxes(body))
    container = next((part for name, part in parts if name == b"ipco"), memoryview(b""))
    properties = list(boxes(container))
    entries = 0
    for fields in (Fields(part) for name, part in parts if name == b"ipma"):
        version, flags = fields.version()
        index_size, last = (2, 0x7FFF) if flags & 1 else (1, 0x7F)
        for _ in range(fields.uint(4)):
            number, count = fields.uint(2 if version == 0 else 4), fields.uint(1)
            entries += 1 + count
            _bound(entries)
            associations = [fields.uint(index_size) for _ in range(count)]
            if number in items:
                items[number].properties += [
                    (*properties[index - 1], association > last)
                    for association in associations
                    if 1 <= (index := association & last) <= len(properties)
                ]


def _add_references(items: dict[int, Item], body: memoryview) -> None:
    fields = Fields(body)
    version, _ = fields.version()
    wide = 2 if version == 0 else 4
    entries = 0
    for name, part in boxes(fields.rest()):
        reference = Fields(part)
        number, count = reference.uint(wide), reference.uint(2)
        entries += 1 + count
        _bound(entries)
        targets = [reference.uint(wide) for _ in range(count)]
        if number in items:
            items[number].references.setdefault(name, []).extend(targets)


def _bound(entries: int) -> None:
    if entries > _MAX_ENTRIES:
        raise InvalidImage(f"A table of the HEIC file has more than {_MAX_ENTRIES} entries.")
