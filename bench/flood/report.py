"""What a flood did: figures, bounds, and whether they held."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.flood.client import BROKEN, CLOSED, LATE, LEFT, Outcome
from bench.flood.hostile import CONNECTIONS

MAX_PULSE_MS = 100.0
LEAST_GOODPUT = 0.8
MOST_ABOVE_FLOOR = 1.1
_TYPED = ("503", "504")
_NO_PHOTOS = frozenset(connection.name for connection in CONNECTIONS)


@dataclass(frozen=True, slots=True)
class Memory:
    """One service's memory in bytes.

    Attributes:
        limit: Its cgroup's.
        floor: Held at rest before the flood, file pages not counted, which the kernel can drop.
        peak: The most that was charged, file pages included.
        after: Held at rest after the flood, file pages not counted.
        kept: What of `after` it keeps on purpose, by its own metric.
        oom_kills: Processes that the kernel killed.
        restarts: How often it ended.
    """

    limit: int
    floor: int
    peak: int
    after: int
    kept: int
    oom_kills: int
    restarts: int


@dataclass(frozen=True, slots=True)
class Flood:
    """Everything that was measured."""

    seconds: float
    clients: int
    outcomes: Sequence[Outcome]
    pulse_ms: Sequence[float]
    unloaded_per_s: float
    memory: Mapping[str, Memory]

    @property
    def goodput_per_s(self) -> float:
        """Photos answered with 200 in a second."""
        return sum(one.status == "200" and one.name not in _NO_PHOTOS for one in self.outcomes) / self.seconds

    @property
    def untyped(self) -> int:
        """Requests that did not end by deadline + 1 s in 2xx, 4xx, 503 or 504."""
        return sum(not _well_ended(outcome) for outcome in self.outcomes)

    @property
    def pulse_p99_ms(self) -> float:
        """Of the answers to /livez; infinite when one failed."""
        if not self.pulse_ms or min(self.pulse_ms) < 0:
            return float("inf")
        return percentile(self.pulse_ms, 99)

    def checks(self) -> dict[str, bool]:
        """Each promise and whether it was kept."""
        return {
            "no process was killed for memory": not any(m.oom_kills for m in self.memory.values()),
            "no service ended or was restarted": not any(m.restarts for m in self.memory.values()),
            "every request ended in 2xx, 4xx, 503 or 504 by its deadline + 1 s": not self.untyped,
            f"/livez p99 <= {MAX_PULSE_MS:.0f} ms": self.pulse_p99_ms <= MAX_PULSE_MS,
            f"goodput >= {LEAST_GOODPUT:.0%} of unloaded": self.goodput_per_s >= LEAST_GOODPUT * self.unloaded_per_s,
            "memory is back within 10 % of the floor and what is kept": all(
                m.after <= MOST_ABOVE_FLOOR * m.floor + m.kept for m in self.memory.values()
            ),
        }


def table(flood: Flood) -> str:
    """The figures as Markdown."""
    summary = (
        f"{flood.clients} clients for {flood.seconds:.0f} s: {len(flood.outcomes)} requests, "
        f"{flood.goodput_per_s:.1f} photos/s answered with 200 ({flood.unloaded_per_s:.1f} unloaded), "
        f"/livez p50 {statistics.median(flood.pulse_ms):.0f} ms, p99 {flood.pulse_p99_ms:.0f} ms"
    )
    lines = [
        summary,
        "",
        "| Upload | requests | p50 s | p99 s | outcomes |",
        "|---|---:|---:|---:|---|",
        *(_upload_row(name, flood.outcomes) for name in sorted({outcome.name for outcome in flood.outcomes})),
        "",
        "| Service | limit MB | floor | peak | after | kept results | killed for memory | restarts |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(_memory_row(name, memory) for name, memory in flood.memory.items()),
        "",
        *(f"- {'kept' if kept else 'BROKEN'}: {promise}" for promise, kept in flood.checks().items()),
    ]
    return "\n".join(lines)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _well_ended(outcome: Outcome) -> bool:
    if outcome.status in (LATE, BROKEN):
        return False
    return outcome.status in (LEFT, CLOSED) or outcome.status[0] in "24" or outcome.status in _TYPED


def _upload_row(name: str, outcomes: Sequence[Outcome]) -> str:
    own = [outcome for outcome in outcomes if outcome.name == name]
    took = [outcome.took_s for outcome in own]
    ends = Counter(f"{outcome.status} {outcome.code}".strip() for outcome in own)
    told = ", ".join(f"{count} x {end}" for end, count in ends.most_common())
    return f"| {name} | {len(own)} | {statistics.median(took):.2f} | {percentile(took, 99):.2f} | {told} |"


def _memory_row(name: str, memory: Memory) -> str:
    sizes = (memory.limit, memory.floor, memory.peak, memory.after, memory.kept)
    return f"| {name} | {' | '.join(f'{size / 1e6:.1f}' for size in sizes)} | {memory.oom_kills} | {memory.restarts} |"
