"""`python -m training.renderer`: the sample photo, or a folder of training walls."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from training.renderer.export import WallFolder
from training.renderer.sample import write_sample
from training.renderer.scene import render_wall

SHAPES = ((3, 4), (4, 3), (9, 16), (1, 1))
SHAPE_SHARES = (0.6, 0.2, 0.15, 0.05)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.renderer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sample = commands.add_parser("sample", help="write the sample photo and its truth")
    sample.add_argument("--out", type=Path, default=Path("assets"), help="folder, default assets")
    walls = commands.add_parser("walls", help="write images, YOLO segmentation labels and a color table")
    walls.add_argument("--count", type=int, required=True)
    walls.add_argument(
        "--seed", type=int, default=0, help="walls are numbered from here; a wall depends on its number only"
    )
    walls.add_argument("--out", type=Path, required=True)
    walls.add_argument("--size", type=int, default=1280, help="longer side in pixels")
    return parser


def _write_walls(count: int, seed: int, out: Path, longer_px: int) -> None:
    with WallFolder(out) as folder:
        for number in range(seed, seed + count):
            rng = np.random.default_rng([number, 1])
            shape = SHAPES[rng.choice(len(SHAPES), p=SHAPE_SHARES)]
            width, height = (round(longer_px * side / max(shape)) for side in shape)
            wall = render_wall(number, width, height, closeness=float(rng.choice([1.0, 1.6], p=[0.85, 0.15])))
            folder.add(f"rendered_{number:06d}", wall, int(rng.integers(55, 96)))


def main() -> int:
    """Run one command; exit status."""
    args = _parser().parse_args()
    if args.command == "walls":
        _write_walls(args.count, args.seed, args.out, args.size)
        return 0
    wall = write_sample(args.out)
    colors = Counter(hold.color for hold in wall.holds if hold.kind == "hold")
    print(f"{args.out}/sample-wall.jpg: {len(wall.holds)} holds and volumes, {dict(colors.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
