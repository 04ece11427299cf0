"""What an analysis has told, encoded once for all who listen: dense, in no language yet, and given to each in turn."""

from typing import NamedTuple

from servicekit.receipts import current_receipt
from starlette.types import Scope

from gateway import domain, messages
from gateway.feedback_file import GivenAnswer
from gateway.feedback_store import FeedbackStore
from gateway.web import answering, answers
from gateway.web.guard import caller_of

_ANONYMOUS = answers.encode({"request_id": ""})[:-1]  # how every result begins before its caller's id is put in
_EVENT_BYTES = 160  # of an event without its data: the pair, its place in a list, the head of the data


class Told(NamedTuple):
    """One event: its name and its data, which lack what differs from caller to caller; of a result, how many holds."""

    name: str
    data: bytes | domain.Progress
    holds: int = 0

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
                return Told("result", result.removeprefix(_ANONYMOUS), len(event.holds))


def render(one: Told, *, language: messages.Language) -> bytes:
    """The JSON of an event other than a result, for one caller."""
    if not isinstance(one.data, domain.Progress):
        return one.data
    stage, percent = one.data.stage, one.data.percent
    return answers.encode(answers.ProgressEvent(stage, percent, messages.progress(stage, language)))


def give(result: Told, scope: Scope, feedback: FeedbackStore, *, request_id: str | None = None) -> bytes:
    """A result's JSON for the caller of a request, who may correct it from then on.

    Every result that is given over HTTP is given here.

    Args:
        result: A job's.
        scope: The request's.
        feedback: Remembers who was given which answer.
        request_id: The answer's id; None for the request's.
    """
    assert isinstance(result.data, bytes)  # noqa: S101 - a result's always is
    if request_id is None:
        receipt = current_receipt()
        request_id = "" if receipt is None else receipt.request_id
    feedback.remember(GivenAnswer(caller_of(scope), request_id, result.holds))
    return b"".join((b'{"request_id":', answers.encode(request_id), result.data))
