"""Answers that hold something, and answers that go on when the framework is through with their request.

A stream may wait for minutes, and every layer that waits with it keeps its frames; the framework's are a third of what
a connection takes.
"""

import contextlib
import functools
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.web.request_state import state_of


class Holding(Response):
    """A response that holds something until it has been given, or the caller has left."""

    def __init__(self, response: Response, held: contextlib.AsyncExitStack) -> None:
        """Give `response`, then close `held`."""
        super().__init__()
        self._response = response
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        async with self._held:
            await self._response(scope, receive, send)


class Handover(Response):
    """Leaves a response to the outermost layer's `finish`. What the layers between do to answers, they still do."""

    def __init__(self, response: Response, at_end: Callable[[], None]) -> None:
        """Hand over `response`; `at_end` is called when it has been given, or the caller has left."""
        super().__init__()
        self._response = response
        self._at_end = at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer nothing yet."""
        state_of(scope).rest = functools.partial(_answer, self._response, self._at_end, scope, receive, send)


async def finish(scope: Scope) -> None:
    """Answer what was handed over, if anything was."""
    state = state_of(scope)
    rest, state.rest = state.rest, None
    if rest is not None:
        await rest()


async def _answer(response: Response, at_end: Callable[[], None], scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await response(scope, receive, send)
    finally:
        at_end()
