"""The hold crops of the data folder, cut once and kept in two npz files.

Run with `python -m training.colorizer.cache`; writes `training/cache/holds.npz` and `labeled.npz`.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.colorizer.crops import HoldCrop, cut
from training.photos import data_dir

CACHE = Path("training/cache")

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ColorLabel:
    """What a person wrote about one crop; `alt` is a second right name or empty."""

    color: str
    alt: str
    set: str
    fold: str
    gym: str


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 pixels of a photo."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise FileNotFoundError(path)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8)


def unlabeled_holds() -> Iterator[HoldCrop]:
    """Every annotated hold and volume of the unaltered training photos."""
    for name in sorted(photos_of("set", "train") & photos_of("variant", "original")):
        photo = read_rgb(data_dir() / "train/images" / name)
        height, width = photo.shape[:2]
        for line in (data_dir() / "train/labels" / name).with_suffix(".txt").read_text().splitlines():
            cx, cy, w, h = (float(v) for v in line.split()[1:5])
            box = ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height)
            if crop := cut(photo, name, box):
                yield crop


def photos_of(column: str, value: str) -> set[str]:
    """Names of the photos whose `column` in map.csv has this value."""
    with (data_dir() / "map.csv").open() as file:
        return {row["name"] for row in csv.DictReader(file) if row[column] == value}


def labeled_holds() -> Iterator[tuple[HoldCrop, ColorLabel]]:
    """The crops whose color was named by eye.

    Left out are the bad ones, and photos that were turned after the naming: their boxes lie on other holds.
    """
    turned = photos_of("variant", "rot180_fixed")
    by_photo: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with (data_dir() / "colors/labels.csv").open() as file:
        for row in csv.DictReader(file):
            if row["bad"] != "true" and row["photo"] not in turned:
                by_photo[row["set"], row["photo"]].append(row)
    for (folder, name), rows in by_photo.items():
        photo = read_rgb(data_dir() / folder / "images" / name)
        for row in rows:
            box: Box = (float(row["x0"]), float(row["y0"]), float(row["x1"]), float(row["y1"]))
            if crop := cut(photo, name, box):
                yield crop, ColorLabel(row["color"], row["alt"], row["set"], row["fold"], row["gym"])


def save(path: Path, crops: list[HoldCrop], labels: Iterable[ColorLabel] = ()) -> None:
    """Write crops of different sizes as one flat array each of pixels and mask bits."""
    rows = [(x.color, x.alt, x.set, x.fold, x.gym) for x in labels]
    np.savez(
        path,
        pixels=np.concatenate([c.rgb.reshape(-1) for c in crops]),
        masks=np.concatenate([c.mask.reshape(-1) for c in crops]),
        shapes=np.array([c.mask.shape for c in crops], np.int32),
        boxes=np.array([c.box for c in crops], np.int32),
        photos=np.array([c.photo for c in crops]),
        labels=np.array(rows, dtype="U16").reshape(-1, 5),
    )


def load(path: Path) -> tuple[list[HoldCrop], list[ColorLabel]]:
    """Read what `save` wrote; the second list is empty for crops without labels."""
    with np.load(path) as file:
        shapes, boxes, photos = file["shapes"], file["boxes"], file["photos"]
        ends = np.cumsum(shapes.prod(axis=1))[:-1]
        pixels = np.split(file["pixels"].reshape(-1, 3), ends)
        masks = np.split(file["masks"], ends)
        labels = [ColorLabel(*map(str, row)) for row in file["labels"]]
    crops = [
        HoldCrop(p.reshape(h, w, 3), m.reshape(h, w), (int(b[0]), int(b[1]), int(b[2]), int(b[3])), str(photo))
        for p, m, (h, w), b, photo in zip(pixels, masks, shapes, boxes, photos, strict=True)
    ]
    return crops, labels


def main() -> int:
    """Cut everything; takes some minutes, nearly all of it GrabCut."""
    cv2.setNumThreads(1)
    CACHE.mkdir(parents=True, exist_ok=True)
    pairs = list(labeled_holds())
    save(CACHE / "labeled.npz", [c for c, _ in pairs], [label for _, label in pairs])
    crops = list(unlabeled_holds())
    save(CACHE / "holds.npz", crops)
    print(f"{len(pairs)} labeled crops, {len(crops)} more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
