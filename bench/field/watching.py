"""The services at their limits while things are tried, and what the kernel, /livez and the log say of them."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import click
import httpx
from climbmate_client.local import ANEW, LocalStack
from climbmate_client.local.cgroup import MemoryCgroup

from bench.faults.requests import SAMPLE, recovers
from bench.field.rows import Row
from bench.flood.kept import kept_bytes
from bench.flood.report import MAX_PULSE_MS, MOST_ABOVE_FLOOR, percentile
from bench.flood.run import pulse, restarting
from bench.profile import small_profile

SETTLE_S = 3.0  # the heaps are trimmed every two seconds
_LOOK_EVERY_S = 0.02
_KILL_IS_SEEN_S = 0.3
_SIGNS = ("ERROR", "CRITICAL", "Traceback")


@dataclass(slots=True)
class Watched:
    """Services that are watched.

    Attributes:
        stack: The services.
        log: The lines that they wrote.
        restarts: How often each ended, so far.
    """

    stack: LocalStack
    restarts: Mapping[str, int]
    log: list[str] = field(default_factory=list)

    @property
    def ends(self) -> int:
        """How often any service was killed or ended."""
        return max(sum(cgroup.oom_kills for cgroup in self.stack.cgroups.values()), sum(self.restarts.values()))

    def harmless(self, row: Row, ends_before: int) -> Row:
        """The row, or that it ended a service; then the services are up again when this returns."""
        if not row.well:
            time.sleep(_KILL_IS_SEEN_S)
        ended = self.ends - ends_before
        if not ended:
            return row
        recovers(self.stack.url)
        return Row(row.kind, row.name, row.right, f"{row.came}; {ended} killed", well=False)


@contextlib.contextmanager
def watched(
    name: str, rows: list[Row], settings: Mapping[str, Mapping[str, str]], write_log: Callable[[str], None] | None
) -> Iterator[Watched]:
    """Run services within their limits; at the end rows tell how they fared."""
    profile = small_profile()
    told = {service: {**own, **settings.get(service, {})} for service, own in profile.settings.items()}
    log: list[str] = []

    def take(line: str) -> None:
        log.append(click.unstyle(line))
        if write_log:
            write_log(log[-1])

    with LocalStack(
        own_settings=ANEW, service_settings=told, memory_limits_bytes=profile.limits_bytes, write_log=take
    ) as stack:
        httpx.post(f"{stack.url}/api/analyze", content=SAMPLE, headers={"content-type": "image/jpeg"}, timeout=60)
        time.sleep(SETTLE_S)
        floors = {service: cgroup.pinned_bytes for service, cgroup in stack.cgroups.items()}
        with restarting(stack) as restarts, pulse(stack.url) as pulse_ms:
            yield Watched(stack, restarts, log)
        time.sleep(SETTLE_S)
        rows.extend(_memory_rows(name, stack, floors, restarts))
    rows.append(_pulse_row(name, pulse_ms))
    signs = [line for line in log if any(sign in line for sign in _SIGNS)]
    rows.append(
        Row("log", f"errors, {name}", "none", f"{len(signs)}: {signs[0][:100]}" if signs else "none", not signs)
    )


@contextlib.contextmanager
def most_used(cgroup: MemoryCgroup) -> Iterator[list[int]]:
    """Look at a service's memory all the while; the list's one number is the most, in bytes above the first look."""
    first_bytes = cgroup.pinned_bytes
    most, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_EVERY_S):
            most[0] = max(most[0], cgroup.pinned_bytes - first_bytes)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield most
    finally:
        ended.set()
        looking.join()


def _memory_rows(name: str, stack: LocalStack, floors: Mapping[str, int], restarts: Mapping[str, int]) -> Iterator[Row]:
    kept = kept_bytes(stack.url)
    for service, cgroup in stack.cgroups.items():
        most_bytes = MOST_ABOVE_FLOOR * floors[service] + (kept if service == "gateway" else 0)
        after_bytes = cgroup.pinned_bytes
        right = f"<= {most_bytes / 1e6:.1f} MB ({floors[service] / 1e6:.1f} at first)"
        yield Row("growth", f"{service}, {name}", right, f"{after_bytes / 1e6:.1f} MB", after_bytes <= most_bytes)
        ends = max(cgroup.oom_kills, restarts.get(service, 0))
        yield Row("kills", f"{service}, {name}", "0", str(ends), not ends)


def _pulse_row(name: str, pulse_ms: list[float]) -> Row:
    p99_ms = percentile(pulse_ms, 99) if pulse_ms and min(pulse_ms) >= 0 else float("inf")
    return Row("health", f"/livez, {name}", f"p99 <= {MAX_PULSE_MS:.0f} ms", f"{p99_ms:.0f} ms", p99_ms <= MAX_PULSE_MS)
