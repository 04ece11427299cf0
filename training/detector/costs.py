"""What each architecture costs to serve, before it has learned anything: `python -m training.detector.costs`.

Prints a Markdown table: parameters, and of float32 and int8 the file's size, the CPU time of one look on one thread,
and the memory that the network takes once it has looked. CPU time hardly depends on what else the machine does; on two
threads a look takes a little more than half of it.
"""

import argparse
import resource
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import onnxruntime

from training.detector.export import export
from training.detector.networks import ARCHITECTURES, build
from training.detector.quantize import quantize

SIDES_PX = (640, 960)
ROUNDS = 9
CALIBRATION_PHOTOS = 2


def look(path: Path, side_px: int) -> tuple[float, float]:
    """Median CPU milliseconds of one run on one thread, and the MB that it has added to this process."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False  # as the service has it
    for name, size in (("batch", 1), ("height", side_px), ("width", side_px)):
        options.add_free_dimension_override_by_name(name, size)
    feeds = {"images": np.random.default_rng(0).random((1, 3, side_px, side_px), dtype=np.float32)}
    before_mb = resident_mb()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    spans = []
    for _ in range(ROUNDS):
        start = time.process_time()
        session.run(None, feeds)
        spans.append(1000 * (time.process_time() - start))
    return statistics.median(spans), resident_mb() - before_mb


def resident_mb() -> float:
    """The memory that this process has now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def row(architecture: str, folder: Path) -> str:
    """The table's row of one architecture."""
    network = build(architecture).eval()
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    exact, small = folder / f"{architecture}.onnx", folder / f"{architecture}-int8.onnx"
    export(network, exact, checked_sides_px=())
    quantize(exact, small, CALIBRATION_PHOTOS)
    cells = []
    for path in (exact, small):
        cells.append(f"{path.stat().st_size / 1e6:.1f}")
        for side_px in SIDES_PX:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:  # for what it takes by itself
                cells += [f"{figure:.0f}" for figure in fresh.submit(look, path, side_px).result()]
    return f"| {architecture} | {millions:.1f} | {' | '.join(cells)} |"


def main() -> None:
    """Measure every architecture, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="*", default=list(ARCHITECTURES))
    args = parser.parse_args()
    looks = " | ".join(f"{side_px} px: CPU ms | MB" for side_px in SIDES_PX)
    print(
        f"| network | million parameters | float32: file MB | {looks} | int8: file MB | {looks} |\n|---|{'---:|' * 11}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for architecture in args.architectures:
            print(row(architecture, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
