"""Write rendered walls and their truth: YOLO segmentation labels, a color table, the JSON that scoring reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.renderer.develop import encode_jpeg
from training.renderer.truth import RenderedHold, RenderedWall

CLASSES = ("hold", "volume")
COLOR_COLUMNS = (
    "photo",
    "line",
    "kind",
    "shape",
    "color",
    "alt",
    "hard",
    "problem",
    "r",
    "g",
    "b",
    "x0",
    "y0",
    "x1",
    "y1",
)


def yolo_line(hold: RenderedHold, size_wh: tuple[int, int]) -> str:
    """`class x y x y ...`, the outline in shares of width and height."""
    points = np.clip(hold.polygon() / np.array(size_wh, np.float32), 0, 1)
    return " ".join([str(CLASSES.index(hold.kind)), *(f"{value:.6f}" for value in points.ravel())])


def parse_yolo_line(line: str, size_wh: tuple[int, int]) -> tuple[str, NDArray[np.float32]]:
    """The inverse of `yolo_line`: kind and (K, 2) outline in photo pixels. Raises ValueError for anything else."""
    number, *values = line.split()
    if len(values) < 6 or len(values) % 2:
        raise ValueError(f"a segmentation label needs at least three points, got {len(values)} values")
    points = np.array(values, np.float32).reshape(-1, 2) * np.array(size_wh, np.float32)
    return CLASSES[int(number)], np.asarray(points, np.float32)


def hold_record(hold: RenderedHold) -> dict[str, object]:
    """One hold as the JSON truth has it; `alt` and `problem` only when there is one."""
    record: dict[str, object] = {
        "kind": hold.kind,
        "shape": hold.shape,
        "color": hold.color,
        "rgb": list(hold.rgb),
        "hard": hold.hard,
        "box": list(hold.box_xyxy),
        "polygon": [[round(float(x), 1), round(float(y), 1)] for x, y in hold.polygon(1.0)],
    }
    if hold.alt is not None:
        record["alt"] = hold.alt
    if hold.problem is not None:
        record["problem"] = hold.problem
    return record


def walls_json(walls: Iterable[tuple[str, RenderedWall]]) -> str:
    """The list of {"file", "holds", "ignore"} that scores photos with outlines and colors, one hold a line."""
    photos = []
    for name, wall in walls:
        holds = ",\n  ".join(json.dumps(hold_record(hold)) for hold in wall.holds)
        photos.append(f' {{"file": {json.dumps(name)}, "ignore": [], "holds": [\n  {holds}\n ]}}')
    return "[\n" + ",\n".join(photos) + "\n]\n"


def color_row(photo: str, line: int, hold: RenderedHold) -> tuple[object, ...]:
    """A row of `COLOR_COLUMNS`; `line` counts the label file's lines from 0."""
    problem = "" if hold.problem is None else hold.problem
    named = (hold.kind, hold.shape, hold.color, hold.alt or "", str(hold.hard).lower(), problem)
    return (photo, line, *named, *hold.rgb, *hold.box_xyxy)


class WallFolder:
    """A training folder: `images/NAME.jpg`, `labels/NAME.txt`, one `colors.csv`. Close it, or use it in a `with`."""

    def __init__(self, root: Path) -> None:
        self._images, self._labels = root / "images", root / "labels"
        for folder in (self._images, self._labels):
            folder.mkdir(parents=True, exist_ok=True)
        self._file = (root / "colors.csv").open("w", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(COLOR_COLUMNS)

    def __enter__(self) -> WallFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish the color table."""
        self._file.close()

    def add(self, name: str, wall: RenderedWall, quality: int) -> None:
        """Write one wall as `name`.jpg at a JPEG quality of 1..100."""
        height, width = wall.rgb.shape[:2]
        (self._images / f"{name}.jpg").write_bytes(encode_jpeg(wall.rgb, quality))
        lines = [yolo_line(hold, (width, height)) + "\n" for hold in wall.holds]
        (self._labels / f"{name}.txt").write_text("".join(lines))
        for number, hold in enumerate(wall.holds):
            self._rows.writerow(color_row(f"{name}.jpg", number, hold))
