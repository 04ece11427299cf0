"""One photo at a time through HTTP, beside the bare work in one process: `make bench`.

Each round sends the photo to the gateway and then does the bare work (decode, both networks, nothing else) in this
process, so that both see the same machine. Prints Markdown: p50 and p95 of the whole and of each stage, the ratio of
the medians, and each service's peak memory. With `--write` the figures go to docs/performance.md as well.
"""

import argparse
import platform
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from climbmate_client import Analysis, Client
from climbmate_client.local import ANEW, LocalStack, ServiceProcess
from climbmate_client.settings import models_dir

from bench.bare import BareWork

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "performance.md"
_FIGURES = re.compile(r"(<!-- figures of make bench -->\n).*?(<!-- end -->)", re.DOTALL)
_WARM_UP_ROUNDS = 3
_TOTAL = "total, as the client sees it"
_BARE_TOTAL = "bare sum"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, default=ROOT / "assets" / "sample-wall.jpg")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"put the figures into {DOCUMENT.name} as well")
    args = parser.parse_args()
    photo = args.photo.read_bytes()
    bare = BareWork(models_dir() or ROOT / "models", cpus=args.threads)
    settings = {**ANEW, "OMP_NUM_THREADS": str(args.threads)}
    with LocalStack(own_settings=settings) as stack, Client(stack.url) as climbmate:
        for _ in range(_WARM_UP_ROUNDS):
            analysis = climbmate.analyze(photo)
            bare.run(photo, len(analysis.holds))
        served, least = _rounds(args.rounds, climbmate, bare, photo)
        peaks = {name: peak_bytes(process) for name, process in stack.processes.items()}
    heading = _heading(analysis, len(photo), args.rounds, args.threads)
    figures = "\n".join([heading, *_table(served, least), *_memory(peaks)])
    print(figures)
    if args.write:
        DOCUMENT.write_text(_FIGURES.sub(lambda found: f"{found[1]}{figures}\n{found[2]}", DOCUMENT.read_text()))


def _rounds(
    count: int, climbmate: Client, bare: BareWork, photo: bytes
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Milliseconds of every round by stage: through the services, and bare."""
    served: dict[str, list[float]] = defaultdict(list)
    least: dict[str, list[float]] = defaultdict(list)
    for _ in range(count):
        start = time.perf_counter()
        analysis = climbmate.analyze(photo)
        served[_TOTAL].append(1000 * (time.perf_counter() - start))
        for name, spent_ms in _stages(analysis).items():
            served[name].append(spent_ms)
        parts = bare.run(photo, len(analysis.holds))
        least[_BARE_TOTAL].append(sum(parts.values()))
        for name, spent_ms in parts.items():
            least[name].append(spent_ms)
    return served, least


def _stages(analysis: Analysis) -> dict[str, float]:
    """Milliseconds by `service: stage`, the colorizer's chunks added up, and what is left for all else."""
    spent: dict[str, float] = defaultdict(float)
    for receipt in analysis.receipts:
        for stage in receipt.stages:
            spent[f"{receipt.service}: {stage.name}"] += stage.ms
    spent["gateway, from the last byte of the photo to the answer"] = analysis.timings_ms["total"]
    return dict(spent)


def peak_bytes(process: ServiceProcess) -> int:
    """The most memory that a running process ever had resident (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _heading(analysis: Analysis, photo_bytes: int, rounds: int, threads: int) -> str:
    image = analysis.image
    return (
        f"{image.width} x {image.height} JPEG of {photo_bytes / 1e6:.1f} MB, {len(analysis.holds)} holds, "
        f"{rounds} photos one after the other, {threads} threads, Python {platform.python_version()}\n"
    )


def _table(served: Mapping[str, Sequence[float]], least: Mapping[str, Sequence[float]]) -> Iterator[str]:
    yield "| | p50 ms | p95 ms |"
    yield "|---|---:|---:|"
    for name, values in served.items():
        yield _row(f"**{name}**" if name == _TOTAL else name, values)
    for name, values in least.items():
        yield _row(f"**{name}**" if name == _BARE_TOTAL else f"bare: {name}", values)
    yield ""
    ratio = np.median(served[_TOTAL]) / np.median(least[_BARE_TOTAL])
    yield f"Total / bare sum at p50: **{ratio:.2f}**\n"


def _row(name: str, values: Sequence[float]) -> str:
    p50, p95 = np.percentile(values, [50, 95])
    return f"| {name} | {p50:.1f} | {p95:.1f} |"


def _memory(peaks: Mapping[str, int]) -> Iterator[str]:
    yield "| Service | Peak memory MB |"
    yield "|---|---:|"
    for name, peak in {**peaks, "sum": sum(peaks.values())}.items():
        yield f"| {name} | {peak / 1e6:.0f} |"


if __name__ == "__main__":
    main()
