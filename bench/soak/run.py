"""Runs the services with the toy network, counts, and fits a slope through each one's memory."""

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from climbmate_client.local import ANEW, LocalStack, ServiceProcess

from bench.incidents.subjects import status_bytes
from bench.soak.client import send_all
from bench.soak.toy import HOLDS, SIDE_PX, small_photo, write_models

MOST_MB_PER_1000 = 0.5
"""Half of what is promised, so that a leak of a kilobyte a request stands out from the noise of the heap."""
LEAK = {"PYTHONPATH": str(Path(__file__).parent / "leak")}
_ROUNDS = 12
_REST_S = 4.0  # after each round: work that was left ends, and the services give back what their heaps keep
_WARM_UP = 0.25  # share of the rounds after which caches, pools and arenas have their size
_SETTINGS = {
    "YOLO_IMG_SIZE": str(SIDE_PX),
    "MAX_HOLDS": str(HOLDS),
    "CLIP_BATCH_SIZE": "4",
    "OMP_NUM_THREADS": "1",
    "LOG_LEVEL": "ERROR",
}
_OF_SERVICE = {
    "detector": ("YOLO_IMG_SIZE", "MAX_HOLDS", "OMP_NUM_THREADS", "LOG_LEVEL"),
    "colorizer": ("CLIP_BATCH_SIZE", "OMP_NUM_THREADS", "LOG_LEVEL"),
    "gateway": ("MAX_HOLDS", "LOG_LEVEL"),
}


@dataclass(slots=True)
class Soak:
    """What was measured after each round: memory in bytes by service, beside the number of requests that had ended."""

    requests: list[int] = field(default_factory=list)
    memory: dict[str, list[int]] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)

    def note(self, processes: Mapping[str, ServiceProcess]) -> None:
        """Read every service's memory: its own pages, file pages not counted."""
        self.requests.append(self.ends.total())
        for name, process in processes.items():
            self.memory.setdefault(name, []).append(status_bytes(process.pid, "RssAnon"))

    def slope_mb_per_1000(self, name: str) -> float:
        """MB for each 1,000 requests: the slope through what each round after the warm-up left."""
        first = int(_WARM_UP * len(self.requests))
        return slope(self.requests[first:], self.memory[name][first:]) * 1000 / 1e6

    def grows(self) -> list[str]:
        """The services whose memory grows."""
        return [name for name in self.memory if self.slope_mb_per_1000(name) > MOST_MB_PER_1000]

    def table(self) -> str:
        """The figures as Markdown."""
        told = ", ".join(f"{count} {end}" for end, count in self.ends.most_common())
        rows = [
            f"| {name} | {each[0] / 1e6:.1f} | {max(each) / 1e6:.1f} | {each[-1] / 1e6:.1f} "
            f"| {self.slope_mb_per_1000(name):+.3f} |"
            for name, each in self.memory.items()
        ]
        head = "| Service | MB at first | most | at last | MB for each 1,000 requests |\n|---|---:|---:|---:|---:|"
        return "\n".join([f"{self.ends.total()} requests: {told}\n", head, *rows])


def soak(count: int, environment: Mapping[str, str] | None = None) -> Soak:
    """Send `count` requests to services of its own."""
    measured = Soak()
    own = {**ANEW, **(environment or {})}
    settings = {name: {key: _SETTINGS[key] for key in keys} for name, keys in _OF_SERVICE.items()}
    with tempfile.TemporaryDirectory() as folder:
        models = write_models(Path(folder))
        with LocalStack(models_dir=models, service_settings=settings, own_settings=own) as stack:
            for number in range(_ROUNDS):
                due = count * (number + 1) // _ROUNDS - measured.ends.total()
                measured.ends += asyncio.run(send_all(stack.url, small_photo(), due, seed=number))
                time.sleep(_REST_S)
                measured.note(stack.processes)
            ended = [name for name, process in stack.processes.items() if not process.running]
    if ended:
        raise RuntimeError(f"{', '.join(ended)} ended during the soak")
    return measured


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Theil and Sen's slope, the median over all pairs: single samples that are off do not move it.

    Example:
        >>> slope([0, 1, 2, 3, 4], [5, 7, 9, 100, 13])
        2.0
    """
    pairs = [
        (y1 - y0) / (x1 - x0)
        for i, (x0, y0) in enumerate(zip(xs, ys, strict=True))
        for x1, y1 in zip(xs[i + 1 :], ys[i + 1 :], strict=True)
        if x1 > x0
    ]
    return statistics.median(pairs) if pairs else 0.0
