"""What was seen as a table for a terminal, and as JSON."""

from collections import defaultdict, deque
from collections.abc import Sequence

import msgspec
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from climbmate_client.answers import Memory
from climbmate_client.monitor.look import Seen
from climbmate_client.printable import printable

_MB = 1e6
_BAR_CELLS = 16
_WIDE = 124  # columns of a terminal that has room for bars and curves
_HISTORY = 24
_STEPS = " ▁▂▃▄▅▆▇█"
_STATE_STYLES = {"serving": "green", "not serving": "yellow", "no answer": "bold red"}
_LEVELS = ((0.9, "bold red"), (0.8, "red"), (0.6, "yellow"), (0.0, "green"))
_NUMBERS = ("flight", "wait", "req/s", "p50/p99 ms", "refused")


class History:
    """The last memory figures of each service, for the small curves."""

    def __init__(self) -> None:
        self._shares: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_HISTORY))

    def note(self, seen: Sequence[Seen]) -> None:
        """Remember one look."""
        for each in seen:
            if each.memory is not None:
                self._shares[each.name].append(_share(each.memory) or each.memory.used_bytes)

    def curve(self, name: str) -> str:
        """A curve of block characters: from nothing to the limit, or to its own peak where there is no limit."""
        values = self._shares[name]
        top = 1.0 if max(values, default=0.0) <= 1.0 else max(values)
        return "".join(_STEPS[round(min(1.0, value / top) * (len(_STEPS) - 1))] for value in values).rjust(_HISTORY)


def render(seen: Sequence[Seen], history: History, width: int) -> RenderableType:
    """One row for each service, for a terminal of `width` columns; 80 are enough."""
    wide = width >= _WIDE
    table = Table(box=None, padding=(0, 2 if wide else 1, 0, 0), header_style="bold")
    for name in ("service", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("MB of limit", justify="right", no_wrap=True)
    table.add_column("%", no_wrap=True)
    if wide:
        table.add_column("lately", no_wrap=True)
    for name in _NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)
    for each in seen:
        table.add_row(
            printable(each.name),
            Text(each.state, _STATE_STYLES[each.state]),
            _megabytes(each.memory),
            _bar(each.memory, _BAR_CELLS if wide else 0),
            *([history.curve(each.name)] if wide else []),
            *_figures(each),
        )
    return table


def as_json(seen: Sequence[Seen]) -> bytes:
    """One line of JSON: a list with an object for each service."""
    rows = [
        {"service": each.name, "state": each.state, "pid": each.pid, "memory": each.memory, "health": each.health}
        for each in seen
    ]
    return msgspec.json.encode(rows)


def _figures(seen: Seen) -> list[str]:
    if seen.health is None:
        return [""] * len(_NUMBERS)
    lately, counts = seen.health.lately, [str(seen.health.in_flight), str(seen.health.waiting)]
    if lately is None:
        return [*counts, "", "", ""]
    return [*counts, f"{lately.requests_per_s:.1f}", f"{lately.p50_ms:.0f}/{lately.p99_ms:.0f}", str(lately.refused)]


def _share(memory: Memory) -> float | None:
    return memory.used_bytes / memory.limit_bytes if memory.limit_bytes else None


def _bar(memory: Memory | None, cells: int) -> Text:
    share = None if memory is None else _share(memory)
    if share is None:
        return Text("none" if memory else "", "dim")
    full = round(min(1.0, share) * cells)
    style = next(style for bound, style in _LEVELS if share >= bound)
    return Text.assemble(("█" * full, style), ("░" * (cells - full), "dim"), (f"{share:4.0%}", style))


def _megabytes(memory: Memory | None) -> str:
    if memory is None:
        return "?"
    used = f"{memory.used_bytes / _MB:.0f}"
    return f"{used} / {memory.limit_bytes / _MB:.0f}" if memory.limit_bytes else used
