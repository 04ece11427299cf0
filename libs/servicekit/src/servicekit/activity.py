"""How the calls of this process went lately: a rate, two percentiles, and what was refused."""

import collections
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

_RATE_S = 10.0
_WINDOW_S = 60.0
_MOST_CALLS = 1000
_REFUSED = frozenset(("OVERLOADED", "IMAGE_TOO_LARGE"))
_FAILED = frozenset(("INTERNAL", "DEADLINE_EXCEEDED", "UNAVAILABLE"))


@dataclass(frozen=True, slots=True)
class Lately:
    """What `climbmate.status.v1.Activity` says; see there."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    requests: int
    refused: int
    failed: int


class Activity:
    """Counts calls that ended. Belongs to the event loop; costs the memory of 1,000 pairs of numbers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: collections.deque[tuple[float, float]] = collections.deque(maxlen=_MOST_CALLS)
        self._by_second: collections.deque[list[int]] = collections.deque(maxlen=math.ceil(_RATE_S) + 1)
        self._requests = self._refused = self._failed = 0

    def record(self, outcome: str, duration_s: float) -> None:
        """Count one call by its outcome: `OK`, an error's reason, or `CANCELLED`."""
        now_s = self._clock()
        self._calls.append((now_s, duration_s))
        if not self._by_second or self._by_second[-1][0] != int(now_s):
            self._by_second.append([int(now_s), 0])
        self._by_second[-1][1] += 1
        self._requests += 1
        self._refused += outcome in _REFUSED
        self._failed += outcome in _FAILED

    def lately(self) -> Lately:
        """The figures now; a few hundred microseconds."""
        now_s = self._clock()
        durations = sorted(1000 * took_s for ended_s, took_s in self._calls if ended_s > now_s - _WINDOW_S)
        full_seconds = sum(count for second, count in self._by_second if int(now_s) - _RATE_S <= second < int(now_s))
        return Lately(
            requests_per_s=full_seconds / _RATE_S,
            p50_ms=_percentile(durations, 0.5),
            p99_ms=_percentile(durations, 0.99),
            requests=self._requests,
            refused=self._refused,
            failed=self._failed,
        )


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
