"""What each size of the detector costs: `python -m bench.detector_sizes`.

For every size a fresh process loads the shipped network on two threads and finds the holds of one 12-megapixel photo.
Prints a Markdown table: milliseconds of the network alone and of the whole search with decoding and crops, peak memory.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from detector.canvas import canvas_wh
from detector.finder import Query
from servicekit.cancel import CancelToken
from visionkit import threads

from bench.detector_setup import ROOT, SIDES_PX, THREADS, load, shipped_network

ROUNDS = 40


def milliseconds(work: Callable[[], object]) -> float:
    """Median of `ROUNDS` calls."""
    spans = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        spans.append(1000 * (time.perf_counter() - start))
    return statistics.median(spans)


def measure(network: Path, side_px: int, photo: Path) -> dict[str, float]:
    """Load and measure one size in this process."""
    threads.limit(THREADS)
    session, finder = load(network, side_px)
    query = Query(photo.read_bytes(), max_holds=300, min_confidence=0.3, with_crops=True)
    header = finder.read_header(query)
    width, height = canvas_wh(header.width, header.height, side_px)
    feeds = {"images": np.zeros((1, 3, height, width), np.float32)}
    return {
        "network_ms": milliseconds(lambda: session.run(feeds)),
        "find_ms": milliseconds(lambda: finder.find(query, header, token=CancelToken())),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }


def main() -> None:
    """Measure every size in a process of its own, or the one that is named in this one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side-px", type=int, help="measure only this size, here, and print JSON")
    parser.add_argument("--photo", type=Path, default=ROOT / "assets/sample-wall.jpg")
    parser.add_argument("--network", type=Path, default=shipped_network(), help="another file than the shipped one")
    args = parser.parse_args()
    if args.side_px:
        print(json.dumps(measure(args.network, args.side_px, args.photo)))
        return
    print("| `YOLO_IMG_SIZE` | network ms | whole search ms | peak MB |\n|---:|---:|---:|---:|")
    for side_px in SIDES_PX:
        given = ["--side-px", str(side_px), "--photo", str(args.photo), "--network", str(args.network)]
        command = [sys.executable, "-m", "bench.detector_sizes", *given]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
        row = json.loads(done.stdout)
        print(f"| {side_px} | {row['network_ms']:.0f} | {row['find_ms']:.0f} | {row['peak_mb']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
