"""The labeled photos: which there are, what is on them, and which of them belong to which split."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.photos import data_dir

KINDS = ("hold", "volume")
CACHE_DIR = Path("training/cache/detector")
RENDERED_DIR = CACHE_DIR / "rendered"
RUNS_DIR = Path("training/runs")
RENDERED = "rendered"  # the gym of walls that do not exist


@dataclass(frozen=True, slots=True)
class Wall:
    """One labeled photo.

    Attributes:
        photo: path of the JPEG.
        owners: path of the PNG that says whose a pixel is; `prepare` makes it.
        gym: group of gyms that the photo comes from.
        boxes_xyxy: (N, 4) float32 photo pixels. N may be 0.
        kinds: (N,) int64, index into `KINDS`.
    """

    photo: Path
    owners: Path
    gym: str
    boxes_xyxy: NDArray[np.float32]
    kinds: NDArray[np.int64]


def read_labels(path: Path, width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read one YOLO label file (`class cx cy w h`, normalized) as (N, 4) pixel boxes and (N,) kinds."""
    rows = np.loadtxt(path, ndmin=2, dtype=np.float64).reshape(-1, 5)
    center, half = rows[:, 1:3], rows[:, 3:5] / 2
    boxes = np.concatenate([center - half, center + half], axis=1) * [width, height, width, height]
    return boxes.astype(np.float32), rows[:, 0].astype(np.int64)


def read_walls(split: str) -> list[Wall]:
    """List the photos of `split` ("train" or "dev") in file order, without the color-shifted second copies."""
    data = data_dir()
    with (data / "map.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["set"] == split and r["variant"] != "augmented_copy"]
    walls = []
    for row in rows:
        labels = data / split / "labels" / f"{Path(row['name']).stem}.txt"
        boxes, kinds = read_labels(labels, int(row["width"]), int(row["height"]))
        owners = CACHE_DIR / f"{Path(row['name']).stem}.png"
        walls.append(Wall(data / split / "images" / row["name"], owners, row["gym"], boxes, kinds))
    return walls


def read_rendered(least: int = 0, most: int | None = None) -> list[Wall]:
    """List the rendered walls in the cache, in the order of their numbers: those from `least` up to before `most`."""
    walls = []
    for path in sorted(RENDERED_DIR.glob("??????.npy"))[least:most]:
        rows = np.load(path)
        photo, owners = path.with_suffix(".jpg"), path.with_suffix(".png")
        walls.append(Wall(photo, owners, RENDERED, rows[:, :4], rows[:, 4].astype(np.int64)))
    return walls


def read_photo(path: Path) -> NDArray[np.uint8]:
    """Decode a photo as (H, W, 3) uint8 BGR, as OpenCV has it.

    Raises:
        FileNotFoundError: the file is missing or is no image.
    """
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photo is None:
        raise FileNotFoundError(path)
    return np.asarray(photo, dtype=np.uint8)
