"""PNG: the chunk list (W3C PNG, third edition)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import exif
from visionkit.photo import PhotoHeader

START = b"\x89PNG\r\n\x1a\n"

_GRAY, _PALETTE = 0, 3
_CHANNELS = {_GRAY: 1, 2: 3, _PALETTE: 3, 4: 2, 6: 4}
_KEY_BYTES = {1: 2, 3: 6}  # by channels, two for each
_DEPTHS = {_GRAY: (1, 2, 4, 8, 16), 2: (8, 16), _PALETTE: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_MAX_SIDE_PX = 2**31 - 1
_PALETTE_BYTES = 768
_CHUNK_OVERHEAD_BYTES = 12  # length, name, checksum
_END = b"\0\0\0\0IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
_EXIF, _TEXTS = b"eXIf", frozenset({b"tEXt", b"zTXt"})
_MAX_CHUNKS = 10_000  # of 8 KiB, as encoders write them: 80 MB
_MAX_PROFILE_BYTES = 1 << 18  # screens and cameras take a few KiB; a few packed ones unpack to gigabytes
_MAX_EXIF_BYTES = 1 << 20  # the orientation stands near the start


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk where it lies in the file, with its length, name and checksum."""

    whole: memoryview

    @property
    def name(self) -> bytes:
        return bytes(self.whole[4:8])

    @property
    def body(self) -> memoryview:
        return self.whole[8:-4]

    def check(self) -> "_Chunk":
        """Itself; refused where its checksum is wrong."""
        if zlib.crc32(self.whole[4:-4]) != int.from_bytes(self.whole[-4:], "big"):
            raise InvalidImage("The PNG is damaged: a checksum is wrong.")
        return self


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is read of a file.

    Attributes:
        before: The first chunk of each name before the pixels.
        pixels: The first run of pixel data.
        metadata: The chunks that may tell the orientation, wherever they stand.
    """

    before: dict[bytes, _Chunk]
    pixels: list[_Chunk]
    metadata: list[_Chunk]

    @property
    def start(self) -> tuple[int, int, int, int]:
        """Width, height, bit depth and color type."""
        header = self.before.get(b"IHDR")
        if header is None or len(header.body) != 13:
            raise InvalidImage("The PNG does not start with its header.")
        width, height, depth, kind = struct.unpack_from(">IIBB", header.body)
        if not (1 <= width <= _MAX_SIDE_PX and 1 <= height <= _MAX_SIDE_PX) or depth not in _DEPTHS.get(kind, ()):
            raise InvalidImage("The PNG's header makes no sense.")
        return width, height, depth, kind

    @property
    def transparency(self) -> _Chunk | None:
        """The color key, or the opacity of the palette's colors; None where it does not fit the color type."""
        chunk, kind = self.before.get(b"tRNS"), self.start[3]
        if chunk is None or kind == _PALETTE:
            return chunk if chunk is not None and len(chunk.body) <= _PALETTE_BYTES // 3 else None
        return chunk if len(chunk.body) == _KEY_BYTES.get(_CHANNELS[kind]) else None


def read_header(data: bytes) -> PhotoHeader:
    """Read size, depth, channels and orientation; a color key (tRNS) is a channel once decoded, and not stored."""
    parts = _read(data)
    width, height, depth, kind = parts.start
    channels = _CHANNELS[kind] + (parts.transparency is not None)
    orientation = exif.orientation(_exif_block(parts.metadata))
    samples_per_px = 1 if kind == _PALETTE else _CHANNELS[kind]
    return PhotoHeader("png", width, height, depth, channels, False, orientation, float(samples_per_px))


def _exif_block(metadata: list[_Chunk]) -> bytes:
    """The Exif chunk, or else the first text that holds such a block."""
    for chunk in metadata:
        if chunk.name == _EXIF:
            return bytes(chunk.body[:_MAX_EXIF_BYTES])
    blocks = (exif.from_png_text(chunk.name, chunk.body) for chunk in metadata)
    return next((block for block in blocks if block is not None), b"")


def icc_profile(data: bytes) -> bytes | None:
    """Unpack the color profile; None if there is none or it is damaged or absurdly large."""
    chunk = _read(data).before.get(b"iCCP")
    if chunk is None or len(chunk.body) > _MAX_PROFILE_BYTES:
        return None
    packed = bytes(chunk.body)
    try:
        profile = zlib.decompressobj().decompress(packed[packed.index(0) + 2 :], _MAX_PROFILE_BYTES + 1)
    except (ValueError, zlib.error):
        return None
    return profile if 0 < len(profile) <= _MAX_PROFILE_BYTES else None


def color_key(data: bytes) -> tuple[int, ...] | None:
    """The samples, as stored, of the one color that is transparent; None for palettes, and where there is none."""
    parts = _read(data)
    if parts.transparency is None or parts.start[3] == _PALETTE:
        return None
    key = parts.transparency.check().body
    return struct.unpack(f">{len(key) // 2}H", key)


def pixel_chunks(data: bytes) -> list[memoryview]:
    """Return the signature and the chunks that decide about pixels, whole, their checksums verified.

    Each is there once and in its place: whatever else a file holds, a second palette or packed text that can grow a
    thousandfold, stays away from the decoder.
    """
    parts = _read(data)
    palette = [_full_palette(parts.before[b"PLTE"])] if parts.start[3] == _PALETTE else []
    chunks = [parts.before[b"IHDR"].check(), *palette]
    chunks += [chunk.check() for chunk in (parts.transparency, *parts.pixels) if chunk is not None]
    return [memoryview(START), *(chunk.whole for chunk in chunks), memoryview(_END)]


def _full_palette(chunk: _Chunk) -> _Chunk:
    """The palette with black for the colors that it does not have, as other decoders do."""
    body = b"PLTE" + bytes(chunk.check().body[:_PALETTE_BYTES]).ljust(_PALETTE_BYTES, b"\0")
    return _Chunk(memoryview(struct.pack(">I", _PALETTE_BYTES) + body + struct.pack(">I", zlib.crc32(body))))


def _read(data: bytes) -> _Parts:
    before: dict[bytes, _Chunk] = {}
    pixels: list[_Chunk] = []
    metadata: list[_Chunk] = []
    ended = False
    for chunk in _chunks(data):
        name = chunk.name
        _ensure_in_place(name, first=not before, pixels=bool(pixels))
        if name == _EXIF or name in _TEXTS:
            metadata.append(chunk)
        if name == b"IDAT" and not ended:
            pixels.append(chunk)
        elif pixels:
            ended = True
        else:
            before.setdefault(name, chunk)
    if not pixels:
        raise InvalidImage("The PNG is truncated: it has no pixels.")
    parts = _Parts(before, pixels, metadata)
    if parts.start[3] == _PALETTE and b"PLTE" not in before:
        raise InvalidImage("The PNG has no palette.")
    return parts


def _ensure_in_place(name: bytes, *, first: bool, pixels: bool) -> None:
    if first and name != b"IHDR":
        raise InvalidImage("The PNG does not start with its header.")
    if name == b"IHDR" and not first:
        raise InvalidImage("The PNG has a second header.")
    if name == b"acTL" and not pixels:
        raise UnsupportedFormat("Animated PNGs are not supported.")


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield every chunk up to the end chunk, or to where the file breaks off."""
    view = memoryview(data)
    position = len(START)
    for _ in range(_MAX_CHUNKS):
        end = position + int.from_bytes(view[position : position + 4], "big") + _CHUNK_OVERHEAD_BYTES
        name = bytes(view[position + 4 : position + 8])
        if end > len(data):
            if name == b"IDAT":
                raise InvalidImage("The PNG is truncated.")
            return
        if name == b"IEND":
            return
        yield _Chunk(view[position:end])
        position = end
    raise InvalidImage(f"The PNG has more than {_MAX_CHUNKS} chunks.")
