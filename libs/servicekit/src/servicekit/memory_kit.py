"""For the hunt after memory: what an operation took, which lines hold the most, what has grown since.

Off unless `DEBUG_MEMORY=1`; what is off costs a comparison. On, Python's allocations are traced (tracemalloc), which
makes them about twice as slow; arrays count, memory of C libraries does not, so every figure stands beside the working
set. Send SIGUSR1 to a service to have its log tell the largest holders and what grew since the last signal.
"""

import contextlib
import functools
import inspect
import logging
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from servicekit.receipts import Meter

P = ParamSpec("P")
R = TypeVar("R")
_log = logging.getLogger("memory_kit")
_MB = 1e6
_IGNORED = (tracemalloc.Filter(False, tracemalloc.__file__), tracemalloc.Filter(False, "<frozen *>"))


@dataclass(frozen=True, slots=True)
class Holder:
    """A line of code and what it holds.

    Attributes:
        line: `file:number`.
        size_bytes: Held now, or grown by.
        count: Blocks, or grown by.
    """

    line: str
    size_bytes: int
    count: int


class MemoryKit:
    """The tools, bound to one process's meter.

    Example:
        kit = MemoryKit(meter, enabled=settings.debug_memory)
        with kit.operation("clip_load"):
            load()

        @kit.operation("decode")
        async def decode(photo): ...
    """

    def __init__(self, meter: Meter, *, enabled: bool) -> None:
        self.enabled = enabled
        self._meter = meter
        self._last: tracemalloc.Snapshot | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Trace allocations while the body runs; nothing when off."""
        if self.enabled and not tracemalloc.is_tracing():
            tracemalloc.start()
        try:
            yield
        finally:
            if self.enabled:
                tracemalloc.stop()

    def operation(self, name: str) -> "Operation":
        """Report what runs inside, as a context manager or around a function, sync or async; failures too."""
        return Operation(self, name)

    def top(self, count: int = 10) -> list[Holder]:
        """The lines that hold the most, largest first; empty when off."""
        return [_holder(stat.traceback, stat.size, stat.count) for stat in self._snapshot_lines()[:count]]

    def mark(self) -> None:
        """Remember the present, for `growth`."""
        self._last = _snapshot() if tracemalloc.is_tracing() else None

    def growth(self, count: int = 10) -> list[Holder]:
        """The lines that hold more than at the last `mark`, most growth first; empty without a mark."""
        if self._last is None or not tracemalloc.is_tracing():
            return []
        grown = _snapshot().compare_to(self._last, "lineno")
        holders = [_holder(diff.traceback, diff.size_diff, diff.count_diff) for diff in grown if diff.size_diff > 0]
        return sorted(holders, key=lambda holder: -holder.size_bytes)[:count]

    def report(self) -> None:
        """Log the largest holders and what has grown since the last report."""
        fields = {
            "used_mb": round(self._meter.used_bytes() / _MB, 1),
            "traced_mb": round(tracemalloc.get_traced_memory()[0] / _MB, 1),
            "top": _told(self.top()),
            "growth": _told(self.growth()),
        }
        _log.info("allocations", extra={"fields": fields})
        self.mark()

    def tell(self, name: str, before_bytes: int, duration_s: float, failure: BaseException | None) -> None:
        """Log one operation in the first version's words."""
        after_bytes, limit_bytes = self._meter.used_bytes(), self._meter.limit_bytes
        fields: dict[str, object] = {
            "stage": name,
            "duration_ms": round(duration_s * 1000, 1),
            "before_mb": round(before_bytes / _MB, 1),
            "after_mb": round(after_bytes / _MB, 1),
            "delta_mb": round((after_bytes - before_bytes) / _MB, 1),
        }
        if limit_bytes:
            fields["limit_pct"] = round(100 * after_bytes / limit_bytes, 1)
        if failure is not None:
            fields["failed"] = type(failure).__name__
        _log.info("memory", extra={"fields": fields})

    def used_bytes(self) -> int:
        """The working set."""
        return self._meter.used_bytes()

    def _snapshot_lines(self) -> Sequence[tracemalloc.Statistic]:
        return _snapshot().statistics("lineno") if tracemalloc.is_tracing() else []


class Operation:
    """One named operation; see `MemoryKit.operation`. Each use measures anew, also when they overlap."""

    def __init__(self, kit: MemoryKit, name: str) -> None:
        self._kit = kit
        self._name = name
        self._entered: list[tuple[int, float]] = []

    def __enter__(self) -> None:
        if self._kit.enabled:
            self._entered.append((self._kit.used_bytes(), time.perf_counter()))

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> None:
        if self._entered:
            before_bytes, start_s = self._entered.pop()
            self._kit.tell(self._name, before_bytes, time.perf_counter() - start_s, failure)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function; one that is off is returned as it is."""
        if not self._kit.enabled:
            return function
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def measured_async(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401 - the function's own
                with Operation(self._kit, self._name):
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", measured_async)

        @functools.wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            with Operation(self._kit, self._name):
                return function(*args, **kwargs)

        return measured


def _snapshot() -> tracemalloc.Snapshot:
    return tracemalloc.take_snapshot().filter_traces(_IGNORED)


def _holder(traceback: tracemalloc.Traceback, size_bytes: int, count: int) -> Holder:
    frame = traceback[0]
    return Holder(f"{frame.filename}:{frame.lineno}", size_bytes, count)


def _told(holders: Sequence[Holder]) -> list[str]:
    return [f"{holder.line} {holder.size_bytes / _MB:.2f} MB in {holder.count}" for holder in holders]
