"""The worst photos that have to be answered: made here, the same in every run."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

_TWELVE_MP, _FIFTY_MP = (4032, 3024), (8160, 6120)
_CELL_PX = 24
_MAX_FILE_BYTES = 24 << 20
_TILES, _MOST_HOLDS = 3, 300
_MOST_COLORS = 64
_COLORS = tuple(f"shade {n}:a climbing hold in color number {n} of a painter's chart" for n in range(_MOST_COLORS))


@dataclass(frozen=True, slots=True)
class WorstPhoto:
    """A photo that takes as much as one of its kind can.

    Attributes:
        name: What it is.
        content: The file.
        max_holds: How many holds are asked for; None for what the services are told.
        palette: Colors to name holds by, which take the text tower; none for the colorizer's own.
    """

    name: str
    content: bytes
    max_holds: int | None = None
    palette: tuple[str, ...] = ()


def worst_photos(wall: Path) -> list[WorstPhoto]:
    """Make them.

    Args:
        wall: A photo with some forty holds, of which a crowd is made.
    """
    return list(_made(wall))


def _made(wall: Path) -> Iterator[WorstPhoto]:
    with Image.open(wall) as photo:
        crowd = _encoded(_crowd(photo), "JPEG", quality=90)
    yield WorstPhoto("wall of hundreds of holds", crowd, _MOST_HOLDS)
    yield WorstPhoto("wall in 64 colors of one's own", crowd, _MOST_HOLDS, _COLORS)
    twelve = _mosaic(_TWELVE_MP)
    yield WorstPhoto("12 MP JPEG of 24 MiB", _encoded(twelve, "JPEG", quality=90).ljust(_MAX_FILE_BYTES, b"\0"))
    yield WorstPhoto("12 MP progressive JPEG", _encoded(twelve, "JPEG", quality=90, progressive=True))
    yield WorstPhoto("12 MP PNG", _encoded(twelve, "PNG", compress_level=1))
    yield WorstPhoto("12 MP WebP", _encoded(twelve, "WEBP", quality=80, method=0))
    yield WorstPhoto("50 MP JPEG", _encoded(_mosaic(_FIFTY_MP), "JPEG", quality=90))


def _crowd(photo: Image.Image) -> Image.Image:
    """The photo three by three times in its own size: some four hundred holds."""
    small = photo.convert("RGB").resize((photo.width // _TILES, photo.height // _TILES))
    crowd = Image.new("RGB", (_TILES * small.width, _TILES * small.height))
    for tile in range(_TILES**2):
        crowd.paste(small, (tile % _TILES * small.width, tile // _TILES * small.height))
    return crowd


def _mosaic(size: tuple[int, int]) -> Image.Image:
    """Squares of many colors, far from what a compressor likes best and far from noise."""
    columns, rows = size[0] // _CELL_PX, size[1] // _CELL_PX
    cells = bytes((7 * i * i + 31 * i) % 251 for i in range(3 * columns * rows))
    return Image.frombytes("RGB", (columns, rows), cells).resize(size, Image.Resampling.NEAREST)


def _encoded(image: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
