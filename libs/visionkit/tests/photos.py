"""Photos in every encoding, made up for the tests of the codec."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
from visionkit import codec, header

ENCODINGS = {
    "jpeg": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
    "progressive jpeg": ("JPEG", {"quality": 95, "subsampling": "4:4:4", "progressive": True}),
    "png": ("PNG", {}),
    "lossy webp": ("WEBP", {"quality": 95}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "heic": ("HEIF", {"quality": 95, "chroma": 444}),
}
LOSSLESS = ["png", "lossless webp"]


def decode(data, max_side_px=1000):
    return codec.decode(data, header.probe(data), max_side_px=max_side_px)


def encoded(image, encoding, **more):
    pillow_heif.register_heif_opener()
    kind, options = ENCODINGS[encoding]
    buffer = io.BytesIO()
    image.save(buffer, kind, **{**options, **more})
    return buffer.getvalue()


def smooth(width, height):
    """(H, W, 3) gentle gradients: red to the right, green downward, blue against both."""
    x, y = np.meshgrid(np.linspace(20, 235, width), np.linspace(20, 235, height))
    return np.dstack([x, y, 255 - (x + y) / 2]).astype(np.uint8)


def assert_close(got, expected, tolerance):
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected).max() <= tolerance


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(depth, kind, rows, *chunks):
    """A PNG of (H, W, C) samples, big-endian already where they have 16 bits."""
    start = struct.pack(">IIBBBBB", rows.shape[1], len(rows), depth, kind, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = [chunk(b"IHDR", start), *chunks, chunk(b"IDAT", packed), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
