"""What the layers of the HTTP face tell one another about a request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Scope

from gateway.web.routes import Match

_KEY = "request"


@dataclass(slots=True)
class RequestState:
    """One request.

    Attributes:
        match: What it asks for.
        caller: The name of the key that it came with; empty without keys.
        outcome: How it ended: `OK`, `CANCELLED` or the code of an error.
        reads_on: Its body is read on after its answer has begun.
        rest: What is left to be answered when the framework is through with it.
    """

    match: Match
    caller: str = ""
    outcome: str = "OK"
    reads_on: bool = False
    rest: Callable[[], Awaitable[None]] | None = None


def open_state(scope: Scope, match: Match) -> RequestState:
    """Begin to keep the state of a request."""
    scope["state"][_KEY] = state = RequestState(match)
    return state


def state_of(scope: Scope) -> RequestState:
    """The state of a request."""
    state: RequestState = scope["state"][_KEY]
    return state
