"""Photos per second and memory, beside a good server of one process with the same models: `make throughput`.

Eight clients send the sample photo as fast as they are answered, in turns to the three services and to
`bench.one_process`, so that both see the same machine. Prints Markdown; the exit code is 1 when a promise was broken.
"""

import argparse
import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from climbmate_client.local import ANEW, LocalStack
from climbmate_client.local.addresses import LOOPBACK, choose
from climbmate_client.settings import service_environment

from bench.figures import add_write_option, tell
from bench.flood.client import send
from bench.flood.mix import Upload
from bench.flood.report import percentile
from bench.incidents.subjects import pss_bytes

_ROOT = Path(__file__).parents[1]
_CLIENTS = 8
_DEADLINE_S = 30.0
_EVERY_S = 0.5
_WARM_UP_S = 2.0
_START_S = 60.0
LEAST_SHARE, MOST_MB, MOST_GROWTH = 0.95, 400.0, 1.1
OURS, THEIRS = "climbmate, three services", "one process, FastAPI + ONNX Runtime"


@dataclass(slots=True)
class Measured:
    """One server over all of its turns."""

    url: str
    pids: list[int]
    took_s: list[float] = field(default_factory=list)
    spent_s: float = 0.0
    failed: int = 0
    memory_mb: list[float] = field(default_factory=list)
    after_turn_mb: list[float] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        """Photos answered in a second."""
        return len(self.took_s) / self.spent_s

    def turn(self, photo: bytes, seconds: float) -> None:
        """Let the clients send for a while."""
        with _sampling(self):
            start_s = time.perf_counter()
            asyncio.run(self._clients(photo, start_s + seconds))
            self.spent_s += time.perf_counter() - start_s
        self.after_turn_mb.append(self.pss_mb())

    def warm_up(self, photo: bytes) -> None:
        """Send photos for a moment that do not count."""
        asyncio.run(self._clients(photo, time.perf_counter() + _WARM_UP_S))
        self.took_s.clear()
        self.failed = 0

    def pss_mb(self) -> float:
        """Memory of all processes, what they share counted once."""
        return sum(pss_bytes(pid) for pid in self.pids) / 1e6

    async def _clients(self, photo: bytes, end_s: float) -> None:
        upload, parts = Upload("photo", photo, 1), urlsplit(self.url)

        async def client() -> None:
            while time.perf_counter() < end_s:
                outcome = await send(upload, str(parts.hostname), parts.port or 80, deadline_s=_DEADLINE_S)
                if outcome.status == "200":
                    self.took_s.append(outcome.took_s)
                else:
                    self.failed += 1

        await asyncio.gather(*(client() for _ in range(_CLIENTS)))


def checks(ours: Measured, theirs: Measured) -> dict[str, bool]:
    """Each promise and whether it was kept."""
    return {
        "every photo is answered": not ours.failed,
        f"at least {LEAST_SHARE:g} x the photos/s of the one process": ours.per_s >= LEAST_SHARE * theirs.per_s,
        "p99 not above its own": percentile(ours.took_s, 99) <= percentile(theirs.took_s, 99),
        f"at most {MOST_MB:.0f} MB": max(ours.memory_mb) <= MOST_MB,
        "memory after the last turn within 10 % of that after the first": (
            ours.after_turn_mb[-1] <= MOST_GROWTH * ours.after_turn_mb[0]
        ),
    }


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, default=_ROOT / "assets" / "sample-wall.jpg")
    parser.add_argument("--seconds", type=float, default=20, help="of each turn")
    parser.add_argument("--turns", type=int, default=3)
    add_write_option(parser)
    args = parser.parse_args()
    photo = args.photo.read_bytes()
    with LocalStack(own_settings={**ANEW, "OMP_NUM_THREADS": "2"}) as stack, _one_process() as theirs:
        ours = Measured(stack.url, [process.pid for process in stack.processes.values()])
        for each in (ours, theirs):
            each.warm_up(photo)
        for _ in range(args.turns):
            ours.turn(photo, args.seconds)
            theirs.turn(photo, args.seconds)
    kept = checks(ours, theirs)
    heading = f"{_CLIENTS} clients, {args.turns} turns of {args.seconds:g} s each\n"
    tell("\n".join([heading, *_table(ours, theirs, kept)]), "make throughput", write=args.write)
    return 0 if all(kept.values()) else 1


def _table(ours: Measured, theirs: Measured, kept: Mapping[str, bool]) -> Iterator[str]:
    yield "| | photos/s | p50 ms | p99 ms | failed | MB at first | most | at last |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    yield _row(OURS, ours)
    yield _row(THEIRS, theirs)
    yield f"\nPhotos/s of the services / of the one process: **{ours.per_s / theirs.per_s:.2f}**\n"
    for promise, each in kept.items():
        yield f"- {'kept' if each else 'BROKEN'}: {promise}"


def _row(name: str, each: Measured) -> str:
    p50, p99 = (1000 * percentile(each.took_s, percent) for percent in (50, 99))
    memory = f"{each.memory_mb[0]:.0f} | {max(each.memory_mb):.0f} | {each.after_turn_mb[-1]:.0f}"
    return f"| {name} | {each.per_s:.1f} | {p50:.0f} | {p99:.0f} | {each.failed} | {memory} |"


@contextlib.contextmanager
def _one_process() -> Iterator[Measured]:
    """The rival, ready."""
    _, _, port = choose(Path(), port=0, grpc_port=None).http.rpartition(":")
    url = f"http://{LOOPBACK}:{port}"
    command = [sys.executable, "-m", "bench.one_process", "--port", port]
    with subprocess.Popen(command, cwd=_ROOT, env=service_environment({})) as process:  # noqa: S603 - ours
        try:
            _wait_ready(url)
            yield Measured(url, [process.pid])
        finally:
            process.terminate()


def _wait_ready(url: str) -> None:
    end_s = time.monotonic() + _START_S
    while time.monotonic() < end_s:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} is not ready")


@contextlib.contextmanager
def _sampling(measured: Measured) -> Iterator[None]:
    """Note the memory now and then while the body runs."""
    stop = threading.Event()

    def sample() -> None:
        while True:
            measured.memory_mb.append(measured.pss_mb())
            if stop.wait(_EVERY_S):
                return

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
