"""HEIC: libheif reads the boxes (ISO/IEC 23008-12); it needs the extra `heic`."""

from types import ModuleType
from typing import Any

from servicekit.errors import InvalidImage, UnsupportedFormat

from visionkit.container import exif
from visionkit.photo import PhotoHeader

pillow_heif: ModuleType | None
try:
    import pillow_heif
except ImportError:
    pillow_heif = None

DECODER_ERRORS = (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError)

_CHANNELS = {"L": 1, "I;16": 1, "RGB": 3, "RGBA": 4, "RGBa": 4}  # pillow_heif's modes
_COLOR_SAMPLES = {420: 1.5, 422: 2.0, 444: 3.0}  # stored for each pixel
_BOX_HEADER_BYTES, _LARGE_BOX, _MAX_BOXES = 8, 1, 1_000
_PICTURE_BOXES = frozenset({b"meta", b"mdat"})


def read_header(data: bytes) -> PhotoHeader:
    """Read size, depth and alpha; libheif applies the file's rotation itself, so orientation is 1."""
    _ensure_complete(data)
    image = open_primary(data)
    width, height = image.size
    channels = _CHANNELS[image.mode]
    depth, samples_per_px = image.info["bit_depth"], _COLOR_SAMPLES.get(image.info.get("chroma"), 1.0) + (channels == 4)
    return PhotoHeader("heic", width, height, depth, channels, False, exif.UPRIGHT, samples_per_px)


def open_primary(data: bytes) -> Any:  # noqa: ANN401 - pillow_heif is optional
    """Open the file's main picture, a `pillow_heif.HeifImage`, without decoding it.

    Raises:
        UnsupportedFormat: The extra is not installed.
        InvalidImage: libheif cannot make sense of the file.
    """
    if pillow_heif is None:
        raise UnsupportedFormat("HEIC photos are not supported here; send a JPEG.")
    try:
        file = pillow_heif.open_heif(data)
        return file[file.primary_index]
    except DECODER_ERRORS as error:
        raise InvalidImage("The HEIC file is damaged.") from error


def _ensure_complete(data: bytes) -> None:
    """Refuse a file that ends within its pictures; libheif would leave the missing tiles black."""
    position = 0
    for _ in range(_MAX_BOXES):
        size, name = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        if size == _LARGE_BOX:
            size = int.from_bytes(data[position + 8 : position + 16], "big")
        if name in _PICTURE_BOXES and position + size > len(data):
            raise InvalidImage("The HEIC file is truncated.")
        if size < _BOX_HEADER_BYTES:  # 0: the box takes the rest; others: no box at all
            return
        position += size
