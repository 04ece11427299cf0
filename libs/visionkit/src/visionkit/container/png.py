"""PNG: the chunk list (W3C PNG, third edition)."""

import struct
import zlib
from collections.abc import Iterator

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import exif
from visionkit.photo import PhotoHeader

START = b"\x89PNG\r\n\x1a\n"

_GRAY, _PALETTE = 0, 3
_CHANNELS = {_GRAY: 1, 2: 3, _PALETTE: 3, 4: 2, 6: 4}
_DEPTHS = {_GRAY: (1, 2, 4, 8, 16), 2: (8, 16), _PALETTE: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_MAX_SIDE_PX = 2**31 - 1
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_CHUNK_OVERHEAD_BYTES = 12  # length, name, checksum
_MAX_CHUNKS = 10_000  # of 8 KiB, as encoders write them: 80 MB
_MAX_PROFILE_BYTES = 1 << 20  # screens and cameras take a few KiB; a few packed ones unpack to gigabytes


def read_header(data: bytes) -> PhotoHeader:
    """Read size, depth, channels and orientation, and check that the chunks reach the end of the file.

    A color key (tRNS) counts as alpha except in a gray PNG, where the decoder ignores it.
    """
    chunks = _chunks(data)
    width, height, depth, kind = _parse_start(next(chunks, None))
    channels, block = _CHANNELS[kind], None
    for name, body in chunks:
        if name == b"acTL":
            raise UnsupportedFormat("Animated PNGs are not supported.")
        if name == b"tRNS" and channels == 3:
            channels = 4
        elif name == b"eXIf":
            block = bytes(body)
        elif block is None and name in (b"tEXt", b"zTXt"):
            block = exif.from_png_text(name, body)
    samples_per_px = 1 if kind == _PALETTE else channels
    return PhotoHeader(
        "png", width, height, depth, channels, False, exif.orientation(block or b""), float(samples_per_px)
    )


def icc_profile(data: bytes) -> bytes | None:
    """Unpack the color profile; None if there is none or it is damaged."""
    packed = next((bytes(body) for name, body in _chunks(data) if name == b"iCCP"), None)
    if packed is None:
        return None
    try:
        profile = zlib.decompressobj().decompress(packed[packed.index(0) + 2 :], _MAX_PROFILE_BYTES)
    except (ValueError, zlib.error):
        return None
    return profile or None


def pixel_chunks(data: bytes) -> list[memoryview]:
    """Return the signature and the chunks that decide about pixels, whole, their checksums verified.

    Leaving out the rest keeps packed text, which can grow a thousandfold, away from the decoder.
    """
    view = memoryview(data)
    spans = [view[: len(START)]]
    position = len(START)
    for name, body in _chunks(data):
        end = position + len(body) + _CHUNK_OVERHEAD_BYTES
        if name in _PIXEL_CHUNKS:
            if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
                raise InvalidImage("The PNG is damaged: a checksum is wrong.")
            spans.append(view[position:end])
        position = end
    return spans


def _parse_start(chunk: tuple[bytes, memoryview] | None) -> tuple[int, int, int, int]:
    """Return width, height, bit depth and color type."""
    if chunk is None or chunk[0] != b"IHDR" or len(chunk[1]) != 13:
        raise InvalidImage("The PNG does not start with its header.")
    width, height, depth, kind = struct.unpack_from(">IIBB", chunk[1])
    if not (1 <= width <= _MAX_SIDE_PX and 1 <= height <= _MAX_SIDE_PX) or depth not in _DEPTHS.get(kind, ()):
        raise InvalidImage("The PNG's header makes no sense.")
    return width, height, depth, kind


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield name and body of every chunk up to the end chunk."""
    view = memoryview(data)
    position = len(START)
    for _ in range(_MAX_CHUNKS):
        header = data[position : position + 8]
        if len(header) < 8:
            raise InvalidImage("The PNG is truncated.")
        length, name = int.from_bytes(header[:4], "big"), header[4:]
        body = view[position + 8 : position + 8 + length]
        position += length + _CHUNK_OVERHEAD_BYTES
        if position > len(data):
            raise InvalidImage("The PNG is truncated.")
        yield name, body
        if name == b"IEND":
            return
    raise InvalidImage(f"The PNG has more than {_MAX_CHUNKS} chunks.")
