"""PNG through Pillow, shrunk by whole pixels in strips.

Pillow takes 4 bytes a pixel where OpenCV takes 6 to 16, and a palette or gray photo stays at 1 or 2. A color of 16 bits
that is transparent needs all of them to be recognized, which Pillow has not: those photos go through OpenCV.
"""

import io
from collections.abc import Callable
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from servicekit.errors import InvalidImage

from visionkit.container import png
from visionkit.container.spans import SpanReader
from visionkit.photo import PhotoHeader
from visionkit.pixels import alpha
from visionkit.pixels.cost import Cost
from visionkit.pixels.raster import Raster

Strip = Callable[[int, int], Image.Image]  # rows from and to, in one of `_MODES`

_STRIP_ROWS = 64
_STRIP_COPIES = 2  # cut out and converted
_TRANSPARENT_STRIP_BYTES = (
    32  # for each pixel, measured: compared with the transparent color, weighted by it, shrunk, and back
)
_DEEP_KEYED_BYTES = 17.2  # OpenCV's, measured
_MODES = {1: "L", 2: "RGBA", 3: "RGB", 4: "RGBA"}  # Pillow's; a letter is a channel
_16_BIT_GRAY = "I;16"
_OPAQUE = 255


def decode(data: bytes, header: PhotoHeader, max_side_px: int) -> Raster:
    """Decode at full size, then average blocks of n x n pixels, n the largest that leaves `max_side_px`.

    Raises:
        InvalidImage: Truncated, damaged, or not of the size that the header claims.
    """
    strips = _deep_keyed_strips(data, header) if _is_deep_keyed(header) else _strips(data, header)
    samples = _averaged(strips, header, _block_px(header, max_side_px))
    icc = png.icc_profile(data)
    if header.channels == 1:
        return Raster(samples[..., 0], "gray", icc)
    if header.channels == 3:
        return Raster(samples, "rgb", icc)
    alpha.lay_on_white(samples)
    return Raster(samples, "rgba", icc)


def cost(header: PhotoHeader, max_side_px: int) -> Cost:
    """The full size as Pillow or OpenCV keeps it, a strip of it, and the shrunk samples.

    Pillow takes 4 bytes for a pixel of color, 1 for gray and palettes, 2 for gray with 16 bits.
    """
    block = _block_px(header, max_side_px)
    px_bytes = 4 if header.samples_per_px > 1 else max(1, header.bit_depth // 8)
    strip_px = min(header.height, _strip_rows(block)) * header.width
    strip = strip_px * (_TRANSPARENT_STRIP_BYTES if header.channels in (2, 4) else _STRIP_COPIES * px_bytes)
    samples = ceil(header.width / block) * ceil(header.height / block) * len(_MODES[header.channels])
    if _is_deep_keyed(header):
        return Cost(header.pixels * _DEEP_KEYED_BYTES + strip + samples, samples, file_copies=1)
    return Cost(header.pixels * px_bytes + strip + samples, samples)


def _block_px(header: PhotoHeader, max_side_px: int) -> int:
    return max(1, max(header.width, header.height) // max_side_px)


def _strip_rows(block_px: int) -> int:
    """A multiple of the block, near 64."""
    return block_px * max(1, _STRIP_ROWS // block_px)


def _is_deep_keyed(header: PhotoHeader) -> bool:
    """Whether one color of 16 bits a channel is transparent."""
    return header.bit_depth == 16 and header.channels == 4 and header.samples_per_px == 3


def _averaged(strips: Strip, header: PhotoHeader, block: int) -> NDArray[np.uint8]:
    """Convert and shrink in strips, so that nothing but the decoded picture exists at full size."""
    channels, rows = len(_MODES[header.channels]), _strip_rows(block)
    averaged = np.empty((-(-header.height // block), -(-header.width // block), channels), np.uint8)
    for top in range(0, header.height, rows):
        strip = strips(top, min(top + rows, header.height))
        part = np.asarray(strip.reduce(block))
        averaged[top // block :][: len(part)] = part.reshape(len(part), -1, channels)
    return averaged


def _strips(data: bytes, header: PhotoHeader) -> Strip:
    image, key = _load(data, header), png.color_key(data)
    mode = _MODES[header.channels]
    highest = 2**header.bit_depth - 1
    spread = 255 // highest if header.bit_depth < 8 else 1  # Pillow's, of few bits over 8
    transparent = None if key is None else np.array(key) % (highest + 1) * spread

    def strip(top: int, bottom: int) -> Image.Image:
        stored = image.crop((0, top, header.width, bottom))
        if transparent is None:
            return _eight_bits(stored).convert(mode)
        opaque = np.asarray(stored.convert("L") if stored.mode == "1" else stored) != transparent
        return _with_opacity(_eight_bits(stored).convert("RGB"), opaque)

    return strip


def _deep_keyed_strips(data: bytes, header: PhotoHeader) -> Strip:
    samples = cv2.imdecode(np.frombuffer(b"".join(png.pixel_chunks(data)), np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.shape != (header.height, header.width, 4):
        raise InvalidImage("The PNG is truncated or damaged.")

    def strip(top: int, bottom: int) -> Image.Image:
        eight_bits = cv2.convertScaleAbs(samples[top:bottom], alpha=255 / 65535)
        return Image.fromarray(cv2.cvtColor(eight_bits, cv2.COLOR_BGRA2RGBA))

    return strip


class _Pixels(PngImagePlugin.PngImageFile):
    def load_end(self) -> None:
        """Read nothing behind the last row: Pillow would read the rest of a chunk at once, all of the file perhaps."""
        if self.png is not None:
            self.png.close()


def _load(data: bytes, header: PhotoHeader) -> Image.Image:
    """Decode without `Image.open`, whose limit on pixels is one for the whole process."""
    chunks = io.BufferedReader(SpanReader(png.pixel_chunks(data)))
    try:
        image = _Pixels(chunks)
        if image.size != (header.width, header.height):
            raise InvalidImage("The PNG is not of the size that its header claims.")
        image.load()
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise InvalidImage("The PNG is truncated or damaged.") from error
    return image


def _eight_bits(strip: Image.Image) -> Image.Image:
    if strip.mode != _16_BIT_GRAY:
        return strip
    return Image.fromarray(cv2.convertScaleAbs(np.asarray(strip), alpha=255 / 65535))


def _with_opacity(strip: Image.Image, opaque: NDArray[np.bool_]) -> Image.Image:
    """The strip in mode RGBA; `opaque` is (H, W) or, where one channel that differs is enough, (H, W, 3)."""
    opacity = (opaque.any(axis=-1) if opaque.ndim == 3 else opaque).astype(np.uint8) * np.uint8(_OPAQUE)
    strip.putalpha(Image.fromarray(opacity))
    return strip
