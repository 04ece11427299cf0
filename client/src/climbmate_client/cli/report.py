"""An analysis as small tables for a terminal."""

from collections import Counter
from collections.abc import Iterator

from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from climbmate_client.answers import Analysis, Health, Hold
from climbmate_client.printable import printable

_NO_COLOR = "(no color)"
_LACKS = {"resolution": "small holds", "damaged": "what is lost of the photo's file"}


def tables(analysis: Analysis, health: Health) -> Iterator[RenderableType]:
    """Give what to print: a summary line, then problems, holds for each color, timings and memory side by side."""
    image = analysis.image
    counts = f"{_count(len(analysis.holds), 'hold')}, {_count(len(analysis.problems), 'problem')}"
    yield Text.assemble((counts, "bold"), f" in {image.width} x {image.height} pixels")
    if analysis.degraded:
        lacks = ", ".join(_LACKS.get(lack, lack) for lack in analysis.degraded)
        yield Text(f"Could not be given in full: {printable(lacks)}", "yellow")
    yield Columns([_problems(analysis), _colors(analysis), _timings(analysis), _memory(health)], padding=(0, 3))


def plain_console(*, stderr: bool = False) -> Console:
    """A console that takes what others say as it is: `[/]` in the name of a file or of a color is no markup."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _problems(analysis: Analysis) -> Table:
    table = _table("Problem", "Holds", "Height %", "Reach %", "Small %")
    for problem in analysis.problems:
        shares = (problem.height_span, problem.reach_max, problem.small_share)
        table.add_row(printable(problem.id), str(problem.hold_count), *(f"{share:.0%}".rstrip("%") for share in shares))
    return table


def _colors(analysis: Analysis) -> Table:
    table = _table("Color", "Holds")
    for name, count in Counter(map(_color_name, analysis.holds)).most_common():
        table.add_row(printable(name), str(count))
    return table


def _color_name(hold: Hold) -> str:
    if hold.color is None:
        return _NO_COLOR
    guesses = " or ".join(guess.name for guess in hold.color.guesses)
    return f"{hold.color.name} ({guesses})" if guesses else hold.color.name


def _timings(analysis: Analysis) -> Table:
    table = _table("Stage", "ms")
    for stage, duration_ms in analysis.timings_ms.items():
        table.add_row(printable(stage), f"{duration_ms:.0f}")
    return table


def _memory(health: Health) -> Table:
    table = _table("Service", "Memory MB", "Limit MB")
    for name, service in health.services.items():
        memory = service.memory
        used = f"{memory.used_bytes / 1e6:.0f}" if memory else "?"
        limit = f"{memory.limit_bytes / 1e6:.0f}" if memory and memory.limit_bytes else "none"
        table.add_row(printable(name), used, limit)
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table
