"""The first version's memory, step by step, beside ours: `make memory`.

Starts the services at their limits of the small profile where cgroups can be made, sends the sample photo, and prints
Markdown. Steps are what each service logged of its own start; the peak is sampled while photos are analyzed.
"""

import argparse
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from climbmate_client import Client
from climbmate_client.local import ANEW, LocalStack, ServiceProcess
from climbmate_client.local.cgroup import MemoryCgroup

from bench.figures import add_write_option, tell
from bench.incidents.subjects import pss_bytes, status_bytes
from bench.profile import small_profile

_SAMPLE = Path(__file__).parents[1] / "assets" / "sample-wall.jpg"
_MB = 1e6
_EVERY_S = 0.005
_PHOTOS = 5
_HOLDS = 40
_FIRST_VERSION_MB = {
    "started": 150,
    "YOLO loaded and warm": 280,
    "CLIP loaded and warm": 430,
    f"peak with {_HOLDS} holds": 580,
}
"""As its developers wrote it down: YOLO at 320 px, ViT-B/32, one process."""

Megabytes = dict[str, float]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_write_option(parser)
    args = parser.parse_args()
    profile = small_profile()
    limits = profile.limits_bytes if MemoryCgroup.available() else {}
    with LocalStack(own_settings=ANEW, service_settings=profile.settings, memory_limits_bytes=limits) as stack:
        before = {name: started_mb(process) for name, process in stack.processes.items()}
        warm = {name: held_mb(process) for name, process in stack.processes.items()}
        with _peaks(stack.processes) as peak, Client(stack.url) as climbmate:
            for _ in range(_PHOTOS):
                holds = len(climbmate.analyze(_SAMPLE, max_holds=_HOLDS).holds)
        with_files = sum(pss_bytes(process.pid) for process in stack.processes.values()) / _MB
    steps = [before, {**before, "detector": warm["detector"]}, warm, peak]
    tell("\n".join(_told(steps, holds, with_files)), "make memory", write=args.write)


def _told(steps: Sequence[Megabytes], holds: int, with_files_mb: float) -> Iterator[str]:
    yield f"MB of 10^6 bytes without file pages, which the kernel can drop. The photo has {holds} holds.\n"
    yield "| | first version, 320 px, one process | climbmate, small profile | detector | colorizer | gateway |"
    yield "|---|---:|---:|---:|---:|---:|"
    for (name, first_mb), ours in zip(_FIRST_VERSION_MB.items(), steps, strict=True):
        parts = " | ".join(f"{ours[service]:.0f}" for service in ("detector", "colorizer", "gateway"))
        yield f"| {name} | {first_mb} | {sum(ours.values()):.0f} | {parts} |"
    yield f"\nAfter that all three hold {with_files_mb:.0f} MB with their file pages, shared ones counted once."


def started_mb(process: ServiceProcess) -> float:
    """What a service held before it loaded its model, by its own log; a service without a model as it is."""
    found = re.search(r'"load":\{[^}]*"before_mb":([\d.]+)', "\n".join(process.last_lines(200)))
    return float(found[1]) if found else held_mb(process)


def held_mb(process: ServiceProcess) -> float:
    """What it holds now."""
    return status_bytes(process.pid, "RssAnon") / _MB


@contextmanager
def _peaks(processes: Mapping[str, ServiceProcess]) -> Iterator[Megabytes]:
    """Each service's most while the body runs."""
    most = dict.fromkeys(processes, 0.0)
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(_EVERY_S):
            for name, process in processes.items():
                most[name] = max(most[name], held_mb(process))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield most
        time.sleep(_EVERY_S)
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    main()
