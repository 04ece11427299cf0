"""HEIC: what a decoder will make of the file's main picture (ISO/IEC 23008-12).

The size that a file shows is not the size that is decoded: the picture may be cropped, laid together from tiles or from
layers, and have an alpha plane of any size. All of these are counted here, from the coded sizes that the HEVC streams
name themselves, and nothing but these reaches the decoder: see `heic_primary`.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import exif, hevc
from visionkit.container.isobmff import Fields, Item, Property, boxes, read_items
from visionkit.photo import DecodedPlanes, PhotoHeader

TILES_AT_ONCE = 2
"""How many tiles libheif decodes side by side at most; more of them are faster on more cores, and take more memory."""

MAX_PICTURES = 1_000
"""Tiles, layers and alpha planes of one photo, as libheif has it."""

_MAX_DEPTH = 4  # a grid, or layers, of turned copies of a coded picture
_ALPHA_TYPES = frozenset({b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"})
_LAYERS = 3.0  # samples for each pixel of the canvas on which layers are laid
_DERIVED = frozenset({b"grid", b"iovl", b"iden"})
_MAX_DERIVATION_BYTES = 1 << 20
_PROPERTIES = frozenset({b"hvcC", b"ispe", b"colr", b"irot", b"imir", b"clap", b"pixi", b"auxC"})
_TRANSFORMATIONS = frozenset({b"irot", b"imir", b"clap"})
_MAX_PROPERTY_BYTES = 1 << 18  # a color profile; those of screens and cameras take a few KiB


@dataclass(frozen=True, slots=True)
class Picture:
    """An item that will be decoded, and those that it is made of.

    Attributes:
        number: The item's.
        wh: Once decoded and turned, before any alpha plane is added.
        planes: What exists at once while it is decoded, at most; its own samples first.
        decoded_pixels: What is decoded for it, one after the other: a tile as often as it is laid down.
        transparent: Whether it, or a tile of it, has an alpha plane.
    """

    number: int
    wh: tuple[int, int]
    planes: tuple[DecodedPlanes, ...]
    decoded_pixels: int
    transparent: bool

    @property
    def gray(self) -> bool:
        """Whether it has no color."""
        return self.planes[0].samples_per_px == 1


def read_header(data: bytes) -> PhotoHeader:
    """Read size, depth and alpha; libheif applies the file's rotation itself, so orientation is 1."""
    _, (primary, *_) = read_primary(data)
    color = primary.planes[0]
    channels = 4 if primary.transparent else 1 if primary.gray else 3
    return PhotoHeader(
        format="heic",
        width=primary.wh[0],
        height=primary.wh[1],
        bit_depth=color.bit_depth,
        channels=channels,
        progressive=False,
        orientation=exif.UPRIGHT,
        samples_per_px=color.samples_per_px + (channels == 4),
        planes=primary.planes,
        decoded_pixels=primary.decoded_pixels,
    )


def read_primary(data: bytes) -> tuple[dict[int, Item], list[Picture]]:
    """All items of a file; and its main picture, followed by all that it is made of.

    Raises:
        InvalidImage: The file is damaged or truncated.
        UnsupportedFormat: A part of the picture is not HEVC, or is put together in a way that no camera does.
    """
    file = memoryview(data)
    parts = dict(reversed(list(boxes(file))))  # of two alike the first counts
    if b"meta" not in parts:
        if b"moov" in parts:
            raise UnsupportedFormat("The HEIC file has no still picture.")
        raise InvalidImage("The HEIC file has no picture.")
    number, items = read_items(file, parts[b"meta"])
    for item in items.values():
        item.properties = list(_used(item.properties))
    reader = _Reader(items)
    primary = reader.picture(number)
    return items, [primary, *(part for part in reader.read.values() if part is not primary)]


def _used(properties: Iterable[Property]) -> Iterator[Property]:
    """Yield the properties that a decoder needs, the first of each name, in the order of the file."""
    seen: set[bytes] = set()
    for name, body, essential in properties:
        kind = bytes(body[:4]) if name == b"colr" else name  # a profile, and numbers that describe the colors
        if name in _PROPERTIES and len(body) <= _MAX_PROPERTY_BYTES and kind not in seen:
            seen.add(kind)
            yield name, body, essential


class _Reader:
    """Follows references from the main picture; each item is read once, however often it is referred to."""

    def __init__(self, items: dict[int, Item]) -> None:
        self._items = items
        self._alphas = dict(_alpha_references(items))
        self.read: dict[int, Picture] = {}

    def picture(self, number: int, depth: int = 0) -> Picture:
        if number in self.read:
            return self.read[number]
        if depth > _MAX_DEPTH or len(self.read) >= MAX_PICTURES:
            raise UnsupportedFormat("The HEIC photo is made of too many pictures.")
        item = self._items.get(number)
        if item is None or not item.extents or not all(map(len, item.extents)):
            raise InvalidImage("The HEIC file is damaged or truncated: a part of its picture is missing.")
        bare = self._derived(number, item, depth) if item.kind in _DERIVED else _coded(number, item)
        picture = self.read[number] = self._with_alpha(_transformed(bare, item), depth)
        return picture

    def _with_alpha(self, bare: Picture, depth: int) -> Picture:
        if bare.number not in self._alphas:
            return bare
        alpha = self.picture(self._alphas[bare.number], depth + 1)
        scaled = (
            (DecodedPlanes(bare.wh[0] * bare.wh[1], 1.0, alpha.planes[0].bit_depth),) if alpha.wh != bare.wh else ()
        )
        return replace(
            bare,
            planes=(*bare.planes, *alpha.planes, *scaled),
            decoded_pixels=bare.decoded_pixels + alpha.decoded_pixels,
            transparent=True,
        )

    def _derived(self, number: int, item: Item, depth: int) -> Picture:
        inputs = [self.picture(part, depth + 1) for part in item.references.get(b"dimg", [])]
        if not inputs:
            raise InvalidImage("The HEIC file is damaged: its picture is made of nothing.")
        transparent = any(part.transparent for part in inputs)
        largest = max((part.planes for part in inputs), key=lambda planes: sum(plane.pixels for plane in planes))
        if item.kind == b"iden":
            wh, planes = inputs[0].wh, largest
        elif item.kind == b"grid":
            wh = _canvas_wh(item, skipped_bytes=2)
            canvas = inputs[0].planes[0]._replace(pixels=wh[0] * wh[1], blocks=0)
            opacity = (canvas._replace(samples_per_px=1.0),) if transparent else ()
            planes = (canvas, *opacity, *largest * min(TILES_AT_ONCE, len(inputs)))
        else:
            wh = _canvas_wh(item, skipped_bytes=8)
            layer = max(part.wh[0] * part.wh[1] for part in inputs)
            planes = (DecodedPlanes(wh[0] * wh[1], _LAYERS, 8), DecodedPlanes(layer, _LAYERS, 8), *largest)
        transparent = transparent and item.kind != b"iovl"  # its canvas is opaque
        return Picture(number, wh, planes, sum(part.decoded_pixels for part in inputs), transparent)


def _alpha_references(items: dict[int, Item]) -> Iterator[tuple[int, int]]:
    """Yield pairs of a picture and its alpha plane."""
    for number, item in items.items():
        kind = item.property(b"auxC")
        if kind is not None and bytes(kind[4:260]).split(b"\0")[0] in _ALPHA_TYPES:
            for master in item.references.get(b"auxl", []):
                yield master, number


def _coded(number: int, item: Item) -> Picture:
    configuration = item.property(b"hvcC")
    if item.kind != b"hvc1" or configuration is None:
        raise UnsupportedFormat("A part of the HEIC photo is not coded with HEVC.")
    coded, _ = hevc.read_configuration(configuration)
    pixels = coded.coded_wh[0] * coded.coded_wh[1]
    planes = (DecodedPlanes(pixels, coded.samples_per_px, coded.bit_depth, coded.blocks),)
    return Picture(number, coded.shown_wh, planes, pixels, transparent=False)


def _canvas_wh(item: Item, *, skipped_bytes: int) -> tuple[int, int]:
    """The size of a grid or of a canvas, after version, flags and what stands before it."""
    fields = Fields(memoryview(b"".join(item.extents)) if item.size_bytes <= _MAX_DERIVATION_BYTES else memoryview(b""))
    _, flags = fields.uint(1), fields.uint(1)
    fields.take(skipped_bytes)
    field_bytes = 4 if flags & 1 else 2
    width, height = fields.uint(field_bytes), fields.uint(field_bytes)
    if not width or not height:
        raise InvalidImage("The HEIC file is damaged: its picture has no pixels.")
    return width, height


def _transformed(picture: Picture, item: Item) -> Picture:
    """The picture after the turns and crops among its item's properties, in their order; each makes a copy."""
    wh, planes, copies = picture.wh, picture.planes, 0
    for name, body, _ in item.properties:
        if name == b"irot" and len(body) and body[0] & 1:
            wh = wh[1], wh[0]
        elif name == b"clap":
            wh = _cropped(wh, body)
        copies += name in _TRANSFORMATIONS
    if copies > 1:  # the first one while the next is made
        planes = (*planes, planes[0]._replace(blocks=0))
    return replace(picture, wh=wh, planes=planes)


def _cropped(wh: tuple[int, int], body: memoryview) -> tuple[int, int]:
    """What a clean aperture leaves, rounded as libheif does."""
    try:
        numbers = struct.unpack_from(">IIIIiIiI", body)
        apertures = Fraction(numbers[0], numbers[1]), Fraction(numbers[2], numbers[3])
        offsets = Fraction(numbers[4], numbers[5]), Fraction(numbers[6], numbers[7])
    except (struct.error, ZeroDivisionError):
        raise InvalidImage("The HEIC file is damaged: its crop makes no sense.") from None
    width, height = (_cropped_side(*side) for side in zip(wh, apertures, offsets, strict=True))
    return width, height


def _cropped_side(side: int, aperture: Fraction, offset: Fraction) -> int:
    first = floor(offset + Fraction(side - 1, 2) - (aperture - 1) / 2)
    last = ceil(aperture - 1 + first - Fraction(1, 2))
    kept = min(last, side - 1) - max(first, 0) + 1
    if kept < 1:
        raise InvalidImage("The HEIC file is damaged: its crop leaves nothing.")
    return kept
