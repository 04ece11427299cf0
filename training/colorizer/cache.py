"""The hold crops of the data folder and of rendered walls, cut once and kept in three files.

Run with `python -m training.colorizer.cache`; writes `labeled.npz`, `rendered.npz` and `holds.npz` in `training/cache`.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from visionkit.light import Light, estimate

from training.colorizer import canvases
from training.colorizer.canvases import stretched
from training.colorizer.crops import HoldCrop, cut
from training.photos import data_dir
from training.renderer import render_wall

CACHE = Path("training/cache")

WALLS = 60
FROM_EACH_WALL = 30
FIRST_WALL = 100_000
"""Seed of the first rendered wall; the detector's walls and the sample have lower ones."""

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
        yield from annotated_holds("train", name)


def annotated_holds(folder: str, name: str) -> Iterator[HoldCrop]:
    """Every annotated hold and volume of a photo."""
    photo = read_rgb(data_dir() / folder / "images" / name)
    height, width = photo.shape[:2]
    for line in (data_dir() / folder / "labels" / name).with_suffix(".txt").read_text().splitlines():
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


def rendered_holds() -> Iterator[tuple[HoldCrop, ColorLabel]]:
    """Some holds of each rendered wall, with exact masks; none whose color can hardly be seen."""
    for seed in range(FIRST_WALL, FIRST_WALL + WALLS):
        wall = render_wall(seed)
        clear = [hold for hold in wall.holds if not hold.hard]
        chosen = np.random.default_rng(seed).permutation(len(clear))[:FROM_EACH_WALL]
        for hold in (clear[i] for i in chosen):
            if crop := cut(wall.rgb, f"rendered_{seed}", hold.box_xyxy, wall.full_mask(hold)):
                yield crop, ColorLabel(hold.color, hold.alt or "", "rendered", "", "rendered")


def save(path: Path, crops: Sequence[HoldCrop], labels: Sequence[ColorLabel]) -> None:
    """Write labeled crops of different sizes as one flat array each of pixels and mask bits."""
    rows = [(x.color, x.alt, x.set, x.fold, x.gym) for x in labels]
    np.savez(
        path,
        pixels=np.concatenate([c.rgb.reshape(-1) for c in crops]),
        masks=np.concatenate([c.mask.reshape(-1) for c in crops]),
        shapes=np.array([c.mask.shape for c in crops], np.int32),
        boxes=np.array([c.box for c in crops], np.int32),
        photos=np.array([c.photo for c in crops]),
        labels=np.array(rows, dtype="U16"),
    )


def load(path: Path) -> tuple[list[HoldCrop], list[ColorLabel]]:
    """Read what `save` wrote."""
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


def save_lights(path: Path) -> None:
    """Write the light of every photo that holds come from, as the detector estimates it."""
    with (data_dir() / "map.csv").open() as file:
        photos = {row["name"]: data_dir() / row["set"] / "images" / row["name"] for row in csv.DictReader(file)}
    lights = {name: estimate(read_rgb(photo)) for name, photo in photos.items()}
    lights |= {f"rendered_{seed}": estimate(render_wall(seed).rgb) for seed in range(FIRST_WALL, FIRST_WALL + WALLS)}
    np.savez(path, photos=np.array(list(lights)), lights=np.array(list(lights.values()), np.float32))


def load_lights(path: Path) -> dict[str, Light]:
    """Read what `save_lights` wrote, by photo."""
    with np.load(path) as file:
        return {
            str(photo): Light(*map(float, light)) for photo, light in zip(file["photos"], file["lights"], strict=True)
        }


def main() -> int:
    """Cut everything; takes some minutes, nearly all of it GrabCut."""
    cv2.setNumThreads(1)
    CACHE.mkdir(parents=True, exist_ok=True)
    for name, pairs in (("labeled", list(labeled_holds())), ("rendered", list(rendered_holds()))):
        save(CACHE / f"{name}.npz", [crop for crop, _ in pairs], [label for _, label in pairs])
        print(f"{len(pairs)} {name} crops")
    save_lights(CACHE / "lights.npz")
    crops = list(unlabeled_holds())
    canvases.save(CACHE / "holds.npz", stretched(crops), [crop.photo for crop in crops])
    print(f"{len(crops)} crops without labels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
