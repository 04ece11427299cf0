"""The services' JSON logs as lines that people read, each with its service's name."""

import threading
from collections.abc import Callable
from typing import Any

import click
import msgspec

from climbmate_client.printable import printable

_COLORS = {"detector": "cyan", "colorizer": "magenta", "gateway": "green"}
_LEVEL_COLORS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_SHOWN_APART = ("time", "level", "service", "event", "trace")
_WORTH_A_WORD_MB = 1.0
_NAME_WIDTH = max(map(len, _COLORS))


class _StageCost(msgspec.Struct, frozen=True):
    """What a service logs of one stage."""

    duration_ms: float
    delta_mb: float


class MergedLog:
    """Writes lines of several services to one place, never two at once.

    Args:
        write: Takes a finished line, which has ANSI colors.

    Attributes:
        failure: Why lines could not be written, once they could not; the services do not stop for it.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write_line = write
        self._lock = threading.Lock()
        self.failure: OSError | None = None

    def for_service(self, name: str) -> Callable[[str], None]:
        """Give what takes the raw lines of one service."""
        prefix = click.style(name.ljust(_NAME_WIDTH), fg=_COLORS.get(name, "blue"))

        def take(line: str) -> None:
            with self._lock:
                for part in readable(line).splitlines():
                    self._write(f"{prefix}  {part}")

        return take

    def _write(self, line: str) -> None:
        try:
            self._write_line(line)
        except OSError as error:
            self.failure = error

    def say(self, text: str) -> None:
        """Write a line of our own among those of the services."""
        with self._lock:
            self._write(f"{click.style('climbmate'.ljust(_NAME_WIDTH), bold=True)}  {text}")


def readable(line: str) -> str:
    """Shorten a JSON log line to time, level, event and fields; give any other line as it is.

    Example:
        >>> readable('{"time": "2026-11-20T12:00:01.250+00:00", "level": "INFO", "event": "ready", "start_s": 0.8}')
        '12:00:01.250 ready start_s=0.8'
    """
    try:
        entry = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return printable(line)
    words = [
        _clock(str(entry.get("time", ""))),
        *_level(str(entry.get("level", "INFO"))),
        printable(str(entry.get("event", ""))),
    ]
    words += [f"{name}={_short(value)}" for name, value in entry.items() if name not in _SHOWN_APART]
    return "\n".join([" ".join(filter(None, words)), *map(printable, str(entry.get("trace", "")).splitlines())])


def _clock(time: str) -> str:
    return time.partition("T")[2][:12]


def _level(level: str) -> list[str]:
    return [] if level == "INFO" else [click.style(level, fg=_LEVEL_COLORS.get(level))]


def _short(value: object) -> str:
    if isinstance(value, str):
        return printable(value)
    try:
        return _stages(msgspec.convert(value, dict[str, _StageCost]))
    except msgspec.ValidationError:
        return msgspec.json.encode(value).decode()


def _stages(stages: dict[str, _StageCost]) -> str:
    """Give the time of each stage, and the memory that it took or gave back where it is worth a word."""
    words = []
    for name, cost in stages.items():
        memory = f" {cost.delta_mb:+.0f} MB" if abs(cost.delta_mb) >= _WORTH_A_WORD_MB else ""
        words.append(f"{name} {cost.duration_ms:.0f} ms{memory}")
    return f"[{', '.join(words)}]"
