"""Makes what training reads: `python -m training.detector.prepare --rendered 1500`.

Every labeled hold is outlined once. The cache holds one PNG for each training photo: 0 is wall, i + 1 is the i-th
label. Where holds overlap, the smaller one lies on top, as a foot chip screwed onto a volume does. Rendered walls are
cached in the same way, with the outlines that the renderer knows.
"""

import argparse
import os
import time
from multiprocessing import Pool

import cv2
import numpy as np
from numpy.typing import NDArray

from training.detector.outlines import inner_pixels, outline_box
from training.detector.walls import CACHE_DIR, KINDS, RENDERED_DIR, Wall, read_photo, read_walls
from training.renderer import Amounts, RenderedWall, render_wall
from training.renderer.develop import encode_jpeg

SHAPES_WH = ((960, 1280), (1280, 960), (720, 1280), (1280, 1280))
SHAPE_SHARES = (0.6, 0.2, 0.15, 0.05)
VOLUME = KINDS.index("volume")
RENDERED_TESTS = 40  # the first rendered walls are for measuring only
BARE_SHARE = 0.25  # of the rendered walls have few holds of their own: room for pasted ones


def outline_wall(wall: Wall) -> NDArray[np.uint8]:
    """(H, W) uint8 owner of every pixel: 0 for wall, i + 1 for the i-th labeled hold."""
    photo = read_photo(wall.photo)
    lab = np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2LAB), dtype=np.uint8)
    owners = np.zeros(photo.shape[:2], np.uint8)
    sides = wall.boxes_xyxy[:, 2:] - wall.boxes_xyxy[:, :2]
    for i in np.argsort(-sides.prod(axis=1), kind="stable"):
        x0, y0, x1, y1 = inner_pixels(wall.boxes_xyxy[i], photo.shape[1], photo.shape[0])
        owners[y0:y1, x0:x1][outline_box(lab, wall.boxes_xyxy[i], convex=wall.kinds[i] == VOLUME)] = i + 1
    return owners


def cache_outlines(wall: Wall) -> int:
    """Outline one photo unless it is cached; the number of its holds."""
    if not wall.owners.exists():
        cv2.imwrite(str(wall.owners), outline_wall(wall))
    return len(wall.kinds)


def rendered(number: int) -> tuple[RenderedWall, int]:
    """The rendered wall of this number, and the JPEG quality in which training sees it."""
    rng = np.random.default_rng([number, 2])
    width, height = SHAPES_WH[rng.choice(len(SHAPES_WH), p=SHAPE_SHARES)]
    bare = Amounts(holds=8, volumes=int(rng.integers(4)), colors=3) if rng.random() < BARE_SHARE else None
    closeness = float(rng.choice([1.0, 1.6], p=[0.85, 0.15]))
    wall = render_wall(number, width, height, amounts=bare, closeness=closeness)
    return wall, int(rng.integers(60, 96))


def cache_rendered(number: int) -> int:
    """Render one wall unless it is cached; the number of its holds."""
    photo = RENDERED_DIR / f"{number:06d}.jpg"
    boxes = photo.with_suffix(".npy")
    if not boxes.exists():
        wall, quality = rendered(number)
        photo.write_bytes(encode_jpeg(wall.rgb, quality))
        cv2.imwrite(str(photo.with_suffix(".png")), rendered_owners(wall))
        rows = [(*hold.box_xyxy, hold.kind == "volume") for hold in wall.holds]
        partial = photo.with_suffix(".partial.npy")
        np.save(partial, np.array(rows, np.float32).reshape(-1, 5))
        partial.replace(boxes)  # last, and at once: it stands for all three files
    return len(np.load(boxes))


def rendered_owners(wall: RenderedWall) -> NDArray[np.uint8]:
    """(H, W) uint8 owner of every pixel of a rendered wall, as `outline_wall` has it."""
    owners = np.zeros(wall.rgb.shape[:2], np.uint8)
    for i, hold in enumerate(wall.holds):
        x0, y0, x1, y1 = hold.box_xyxy
        owners[y0:y1, x0:x1][hold.mask] = i + 1
    return owners


def main() -> None:
    """Fill the cache; what is already in it is skipped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rendered", type=int, default=400, help="how many walls to render")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    args = parser.parse_args()
    cv2.setNumThreads(1)
    RENDERED_DIR.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with Pool(args.processes) as pool:
        holds = sum(pool.imap_unordered(cache_outlines, read_walls("train")))
        print(f"{holds} holds outlined after {time.monotonic() - started:.0f} s, in {CACHE_DIR}", flush=True)
        holds = sum(pool.imap_unordered(cache_rendered, range(args.rendered), chunksize=8))
    print(f"{holds} holds on {args.rendered} rendered walls after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
