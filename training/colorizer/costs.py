"""What each architecture costs to serve, before it has learned anything: `python -m training.colorizer.costs`.

Prints a Markdown table: parameters of the image tower, its file as shipped, and the CPU time of 40 crops on one thread
in the service's batches. CPU time hardly depends on what else the machine does.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from colorizer.model import ImageTower

from training.colorizer import onnx_files, towers
from training.colorizer.train import SIDE_PX

ARCHITECTURES = (towers.NAME, f"{towers.NAME}-vit", f"{towers.NAME}-convnext")
CROPS, BATCH = 40, 8
ROUNDS = 15


def cpu_ms(path: Path) -> float:
    """Median CPU milliseconds of `CROPS` crops on one thread."""
    tower = ImageTower(path, batch_size=BATCH, threads=1)
    crops = list(np.random.default_rng(0).integers(0, 256, (CROPS, SIDE_PX, SIDE_PX, 3)).astype(np.uint8))
    spans = []
    for _ in range(ROUNDS):
        start = time.process_time()
        tower.embed(crops)
        spans.append(1000 * (time.process_time() - start))
    return statistics.median(spans)


def row(architecture: str, folder: Path) -> str:
    """The table's row of one architecture."""
    model = towers.build(architecture).eval()
    millions = sum(parameter.numel() for parameter in model.visual.parameters()) / 1e6
    path = folder / f"{architecture}.onnx"
    onnx_files.write_image_tower(model, path, SIDE_PX, towers.PIXEL_MEAN, towers.PIXEL_STD)
    onnx_files.halve(path)
    return f"| {architecture} | {millions:.2f} | {path.stat().st_size / 1e6:.1f} | {cpu_ms(path):.0f} |"


def main() -> int:
    """Measure every architecture, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="*", default=ARCHITECTURES, help="open_clip configs beside this file")
    args = parser.parse_args()
    print(f"| image tower | million parameters | MB | {CROPS} crops, CPU ms |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for architecture in args.architectures:
            print(row(architecture, Path(folder)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
