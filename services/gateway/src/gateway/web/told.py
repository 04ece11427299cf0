"""What an analysis has told, encoded once for all who listen: dense, and in no language yet."""

from typing import NamedTuple

from gateway import domain, messages
from gateway.web import answers

_ANONYMOUS = answers.encode({"request_id": ""})[:-1]  # how every result begins before its caller's id is put in


class Told(NamedTuple):
    """One event: its name and its data, which lack what differs from caller to caller."""

    name: str
    data: bytes | domain.Progress

    @property
    def size_bytes(self) -> int:
        """What it takes to keep."""
        return len(self.data) if isinstance(self.data, bytes) else 0


def told(event: domain.Event) -> Told:
    """Encode an event."""
    match event:
        case domain.Progress():
            return Told("progress", event)
        case domain.HoldsFound():
            return Told("holds", answers.encode(answers.holds(event)))
        case domain.ColorsFound():
            return Told("colors", answers.encode(answers.colors(event)))
        case domain.Analysis():
            return Told("result", answers.encode(answers.analysis(event, request_id="")).removeprefix(_ANONYMOUS))


def render(one: Told, *, request_id: str, language: messages.Language) -> bytes:
    """An event's JSON for one caller."""
    if isinstance(one.data, domain.Progress):
        stage, percent = one.data.stage, one.data.percent
        return answers.encode(answers.ProgressEvent(stage, percent, messages.progress(stage, language)))
    return result_json(one.data, request_id) if one.name == "result" else one.data


def result_json(data: bytes, request_id: str) -> bytes:
    """A result's JSON for one caller."""
    return b"".join((b'{"request_id":', answers.encode(request_id), data))
