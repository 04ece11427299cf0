"""What the colorizer alone costs: `python -m bench.colorizer`; `CLIP_MODEL=ViT-B-32` and its other settings apply.

Fresh colorizers on two threads are timed until they are ready; the last one names 40 holds of the sample photo again
and again, and then by colors that it does not know yet, which takes the text tower. Peak memory is of the whole
process, libraries and file pages included.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.hold.v1 import hold_pb2
from climbmate_client.local import ServiceProcess
from climbmate_client.settings import service_environment
from detector import convert
from detector.finder import Query
from servicekit.cancel import CancelToken

from bench.detector_setup import ROOT, THREADS, load, shipped_network
from bench.http_photo import peak_bytes

STARTS = 5
START_LIMIT_S = 60.0
HOLDS = 40
COLORS = 64


@dataclass(frozen=True, slots=True)
class Running:
    """A ready colorizer, and how long its start took."""

    process: ServiceProcess
    stub: colorizer_pb2_grpc.ColorizerServiceStub
    start_s: float


@contextlib.contextmanager
def running(folder: str) -> Iterator[Running]:
    """Start a colorizer with a socket in this folder."""
    listen = f"unix:{folder}/colorizer.sock"
    own = {
        "COLORIZER_LISTEN": listen,
        "COLORIZER_METRICS_LISTEN": "127.0.0.1:0",
        "OMP_NUM_THREADS": str(THREADS),
        "DRAIN_WAIT_S": "0",
    }
    ready = threading.Event()
    command = [sys.executable, "-m", "colorizer"]
    process = ServiceProcess(
        "colorizer", command, service_environment(own), lambda line: ready.set() if '"event":"ready"' in line else None
    )
    start = time.perf_counter()
    process.start()
    try:
        if not ready.wait(START_LIMIT_S):
            raise TimeoutError("\n".join(["the colorizer did not become ready", *process.last_lines()]))
        start_s = time.perf_counter() - start
        with grpc.insecure_channel(listen) as channel:
            yield Running(process, colorizer_pb2_grpc.ColorizerServiceStub(channel), start_s)
    finally:
        process.stop()


def crops_of(photo: Path) -> list[colorizer_pb2.Crop]:
    """The surest holds of a photo, as the gateway passes them on."""
    _, finder = load(shipped_network(), 640)
    query = Query(photo.read_bytes(), max_holds=HOLDS, min_confidence=0.05, with_crops=True)
    found = convert.from_finding(finder.find(query, finder.read_header(query), token=CancelToken()))
    return [colorizer_pb2.Crop(hold_id=each.hold.id, mask=each.hold.mask, rgb=each.crop_rgb) for each in found]


def cpu_ms(process: ServiceProcess) -> float:
    """CPU time that a running process has taken (Linux); it hardly depends on what else the machine does."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(colorizer: Running, crops: Sequence[colorizer_pb2.Crop], rounds: int) -> Iterator[tuple[str, str]]:
    """The rows of the table about naming colors."""
    request = colorizer_pb2.ColorHoldsRequest(crops=crops)
    spent: dict[str, list[float]] = defaultdict(list)
    colorizer.stub.ColorHolds(request)
    before_ms = cpu_ms(colorizer.process)
    for _ in range(rounds):
        start = time.perf_counter()
        answer = colorizer.stub.ColorHolds(request)
        spent[f"{len(crops)} holds, as the caller sees it"].append(1000 * (time.perf_counter() - start))
        for stage in answer.stages:
            spent[stage.name].append(stage.duration_ms)
    for name, values in spent.items():
        p50, p95 = np.percentile(values, [50, 95])
        yield f"{name}, ms (p50, p95)", f"{p50:.1f}, {p95:.1f}"
    yield "CPU time of the process for them, ms (mean)", f"{(cpu_ms(colorizer.process) - before_ms) / rounds:.1f}"
    yield "peak memory, MB", f"{peak_bytes(colorizer.process) / 1e6:.0f}"
    palette = [hold_pb2.ColorPrompt(name=f"color {number}") for number in range(COLORS)]
    answer = colorizer.stub.ColorHolds(colorizer_pb2.ColorHoldsRequest(crops=crops, palette=palette))
    yield f"{COLORS} new colors, ms", f"{answer.stages[0].duration_ms:.0f}"
    yield "peak memory with them, MB", f"{peak_bytes(colorizer.process) / 1e6:.0f}"


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    args = parser.parse_args()
    crops = crops_of(ROOT / "assets" / "sample-wall.jpg")
    starts_s = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for _ in range(STARTS - 1):
            with running(folder) as colorizer:
                starts_s.append(colorizer.start_s)
        with running(folder) as colorizer:
            starts_s.append(colorizer.start_s)
            name = colorizer.stub.ColorHolds(colorizer_pb2.ColorHoldsRequest()).model.name
            print(f"| {name}, {THREADS} threads | |\n|---|---:|")
            print(f"| start to ready, s (median of {STARTS}) | {np.median(starts_s):.2f} |")
            for title, value in measured(colorizer, crops, args.rounds):
                print(f"| {title} | {value} |")


if __name__ == "__main__":
    main()
