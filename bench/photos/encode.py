"""Encoders for pictures that no camera would take."""

import io
import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"
GRAY, COLOR, PALETTE, GRAY_ALPHA, COLOR_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, COLOR: 3, PALETTE: 1, GRAY_ALPHA: 2, COLOR_ALPHA: 4}
_FAST_HEVC = {"preset": "ultrafast"}
_BLOTCH_PX = 32

Pixels = NDArray[np.uint8]


def blotches(width: int, height: int) -> Pixels:
    """(height, width, 3) soft random colors: quick to make, and compressed about as well as a photo."""
    random = np.random.default_rng(width)
    small = random.integers(40, 220, (height // _BLOTCH_PX + 2, width // _BLOTCH_PX + 2, 3), np.uint8)
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def half_transparent(rgb: Pixels) -> Pixels:
    """The same colors with alpha 128."""
    return np.dstack([rgb, np.full(rgb.shape[:2], 128, np.uint8)])


def jpeg(rgb: Pixels, *, mode: str = "RGB", **options: object) -> bytes:
    """A JPEG; `mode` is Pillow's: RGB, L or CMYK; options are those of Pillow's JPEG writer."""
    return _saved(Image.fromarray(rgb).convert(mode), "JPEG", quality=90, **options)


def webp(pixels: Pixels, *, lossless: bool = False) -> bytes:
    """A WebP, with alpha when the pixels have it."""
    return _saved(Image.fromarray(pixels), "WEBP", lossless=lossless, quality=0 if lossless else 80, method=0)


def heic(pixels: Pixels, *, chroma: int = 420, deep: bool = False, **options: object) -> bytes:
    """A HEIC of 8 bits, or of 10 when `deep`; chroma 420, 422 or 444; gray where the pixels are (H, W)."""
    mode = {2: "L", 3: "RGB", 4: "RGBA"}[pixels.ndim if pixels.ndim == 2 else pixels.shape[2]]
    height, width = pixels.shape[:2]
    samples = (pixels.astype("<u2") << 8) if deep else pixels
    deep_mode = "I;16" if mode == "L" else f"{mode};16"
    file = pillow_heif.from_bytes(deep_mode if deep else mode, (width, height), samples.tobytes())
    buffer = io.BytesIO()
    file.save(buffer, quality=50, chroma=chroma, enc_params=_FAST_HEVC, **options)
    return buffer.getvalue()


def png(width: int, height: int, kind: int, *, depth: int = 8, extra: bytes = b"", interlaced: bool = False) -> bytes:
    """A PNG of gray levels that rise to the right, packed row by row: a small file, however large the picture.

    Args:
        width: In pixels.
        height: In pixels.
        kind: The color type, for example `COLOR`.
        depth: Bits of a sample, 8 or 16.
        extra: Whole chunks to put before the pixels.
        interlaced: Seven passes, all black.
    """
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    rows = (
        _interlaced_rows(width, height, CHANNELS[kind] * depth // 8)
        if interlaced
        else _rows(width, height, kind, depth)
    )
    packer = zlib.compressobj(1)
    packed = b"".join([*map(packer.compress, rows), packer.flush()])
    palette = png_chunk(b"PLTE", bytes(range(256)) * 3) if kind == PALETTE else b""
    return PNG_START + png_chunk(b"IHDR", head) + extra + palette + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def png_chunk(name: bytes, body: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _rows(width: int, height: int, kind: int, depth: int) -> Iterator[bytes]:
    levels = np.arange(width, dtype=">u2" if depth == 16 else "u1")
    row = b"\0" + np.repeat(levels, CHANNELS[kind]).tobytes()
    return (row for _ in range(height))


def _interlaced_rows(width: int, height: int, pixel_bytes: int) -> Iterator[bytes]:
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for left, top, step_x, step_y in passes:
        row = bytes(1 + pixel_bytes * -(-(width - left) // step_x))
        yield from (row for _ in range(-(-(height - top) // step_y)))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
