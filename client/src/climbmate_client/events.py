"""The steps of an analysis as they are streamed, and how they are read from a `text/event-stream`."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from climbmate_client.answers import Analysis, Color, Hold, Image


class Progress(Struct, frozen=True):
    """How far the analysis is: the stage that has begun, 0 to 100 percent (never falling), and a short sentence."""

    stage: str
    percent: int
    message: str


class HoldsFound(Struct, frozen=True):
    """The holds as soon as they are known, without colors; comes at most once."""

    image: Image
    holds: tuple[Hold, ...]


class HoldColored(Struct, frozen=True):
    """The color of the hold with this id."""

    hold_id: int
    color: Color


class ColorsFound(Struct, frozen=True):
    """The colors of some holds; every hold comes at most once."""

    colors: tuple[HoldColored, ...]


Event = Progress | HoldsFound | ColorsFound | Analysis
"""A step of the analysis; the last one of a stream that succeeds is the `Analysis`."""

KINDS: dict[str, type[Event]] = {
    "progress": Progress,
    "holds": HoldsFound,
    "colors": ColorsFound,
    "result": Analysis,
}


class SseParser:
    """Cuts a `text/event-stream` into events (html.spec.whatwg.org, 9.2.6); ids and retry times are not used here.

    Example:
        >>> parser = SseParser()
        >>> [list(parser.feed(line)) for line in ("event: holds", "data: {}", "")]
        [[], [], [('holds', b'{}')]]
    """

    def __init__(self) -> None:
        self._name = "message"
        self._lines: list[str] = []

    def feed(self, line: str) -> Iterator[tuple[str, bytes]]:
        """Take the next line, without its end; yield the event (name, data) that it completes, if it does."""
        if not line:
            if self._lines:
                yield self._name, "\n".join(self._lines).encode()
            self._name, self._lines = "message", []
            return
        name, _, value = line.partition(":")  # a comment has an empty name and is passed over
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._lines.append(value)


def decode(kind: type[Event], data: bytes) -> Event:
    """Read an event's data.

    Raises:
        msgspec.DecodeError: The data does not have the event's shape.
    """
    return msgspec.json.decode(data, type=kind)
