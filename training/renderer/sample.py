"""The sample photo that ships with the project: one 12-megapixel phone photo of a wall that does not exist."""

from __future__ import annotations

from pathlib import Path

from training.renderer.develop import encode_jpeg
from training.renderer.export import walls_json
from training.renderer.layout import Amounts
from training.renderer.scene import render_wall
from training.renderer.truth import RenderedWall

SEED = 24
SIZE_WH = (3024, 4032)
AMOUNTS = Amounts(holds=44, volumes=3, colors=11)
FINISHES = ("birch", "oiled-plywood")
QUALITY = 90
CLOSENESS = 1.5


def render_sample(size_wh: tuple[int, int] = SIZE_WH) -> RenderedWall:
    """The same wall every time; a smaller `size_wh` of the same shape shows it with fewer pixels."""
    return render_wall(SEED, *size_wh, amounts=AMOUNTS, finishes=FINISHES, closeness=CLOSENESS)


def write_sample(folder: Path) -> RenderedWall:
    """Write `sample-wall.jpg` and its truth `sample-wall.json`."""
    wall = render_sample()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sample-wall.jpg").write_bytes(encode_jpeg(wall.rgb, QUALITY))
    (folder / "sample-wall.json").write_text(walls_json([("sample-wall.jpg", wall)]))
    return wall
