"""Outlines every labeled hold once and caches the result: `python -m training.detector.prepare`.

The cache holds one 16-bit PNG for each training photo: 0 is wall, i + 1 is the i-th label. Where holds overlap, the
smaller one lies on top, as a foot chip screwed onto a volume does.
"""

import time
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.detector.outlines import inner_pixels, outline_box
from training.detector.walls import CACHE_DIR, Wall, read_photo, read_walls


def outline_wall(wall: Wall) -> NDArray[np.uint16]:
    """(H, W) uint16 owner of every pixel: 0 for wall, i + 1 for the i-th labeled hold."""
    photo = read_photo(wall.photo)
    lab = np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2LAB), dtype=np.uint8)
    owners = np.zeros(photo.shape[:2], np.uint16)
    sides = wall.boxes_xyxy[:, 2:] - wall.boxes_xyxy[:, :2]
    for i in np.argsort(-sides.prod(axis=1), kind="stable"):
        x0, y0, x1, y1 = inner_pixels(wall.boxes_xyxy[i], photo.shape[1], photo.shape[0])
        owners[y0:y1, x0:x1][outline_box(lab, wall.boxes_xyxy[i])] = i + 1
    return owners


def owners_path(photo: Path, cache_dir: Path = CACHE_DIR) -> Path:
    """Where the pixel owners of a training photo are cached."""
    return cache_dir / f"{photo.stem}.png"


def _cache_wall(wall: Wall) -> int:
    path = owners_path(wall.photo)
    if not path.exists():
        cv2.imwrite(str(path), outline_wall(wall))
    return len(wall.kinds)


def main() -> None:
    """Fill the cache; photos that are already in it are skipped."""
    CACHE_DIR.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with Pool(2) as pool:
        holds = sum(pool.imap_unordered(_cache_wall, read_walls("train")))
    print(f"{holds} holds outlined in {time.monotonic() - started:.0f} s, in {CACHE_DIR}")


if __name__ == "__main__":
    main()
