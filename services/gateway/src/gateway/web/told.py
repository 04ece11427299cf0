"""What an analysis has told, encoded once for all who listen: dense, and in no language yet."""

from typing import NamedTuple

from gateway import domain, messages
from gateway.web import answering, answers

_ANONYMOUS = answers.encode({"request_id": ""})[:-1]  # how every result begins before its caller's id is put in
_EVENT_BYTES = 160  # of an event without its data: the pair, its place in a list, the head of the data


class Told(NamedTuple):
    """One event: its name and its data, which lack what differs from caller to caller."""

    name: str
    data: bytes | domain.Progress

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return _EVENT_BYTES + (len(self.data) if isinstance(self.data, bytes) else 0)


class Teller:
    """Encodes the events of one analysis; prepares its outlines, which are most of the work, once for two events."""

    def __init__(self) -> None:
        self._outlines: list[answers.FoundHold] = []

    def told(self, event: domain.Event) -> Told:
        """Encode the next event."""
        match event:
            case domain.Progress():
                return Told("progress", event)
            case domain.HoldsFound():
                found = answering.holds(event)
                self._outlines = found.holds
                return Told("holds", answers.encode(found))
            case domain.ColorsFound():
                return Told("colors", answers.encode(answering.colors(event)))
            case domain.Analysis():
                result = answers.encode(answering.analysis(event, self._outlines))
                return Told("result", result.removeprefix(_ANONYMOUS))


def render(one: Told, *, request_id: str, language: messages.Language) -> bytes:
    """An event's JSON for one caller."""
    if isinstance(one.data, domain.Progress):
        stage, percent = one.data.stage, one.data.percent
        return answers.encode(answers.ProgressEvent(stage, percent, messages.progress(stage, language)))
    return result_json(one.data, request_id) if one.name == "result" else one.data


def result_json(data: bytes, request_id: str) -> bytes:
    """A result's JSON for one caller."""
    return b"".join((b'{"request_id":', answers.encode(request_id), data))
