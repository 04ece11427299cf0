"""An analysis as server-sent events (html.spec.whatwg.org, section 9.2)."""

import contextlib
import itertools
import logging
from collections.abc import AsyncGenerator

from servicekit.deadlines import within
from servicekit.errors import DeadlineExceeded, Internal, ServiceError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import domain, messages
from gateway.deadline import Deadline
from gateway.web import answers, failures
from gateway.web.disconnect import CallerLeft, unless_caller_leaves

_log = logging.getLogger("stream")
_MAX_FAREWELL_S = 0.5


class EventStream(Response):
    """Answers with the events as they come. A failure after the start is an `error` event, the last one."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[domain.Event, None], deadline: Deadline) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._deadline = deadline
        self._ids = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all events, and stop the analysis when the caller leaves."""
        await unless_caller_leaves(receive, self._stream(scope, send))

    async def _stream(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        language = failures.language_of(scope)
        try:
            async with within(self._deadline.left_s()), contextlib.aclosing(self._events) as events:
                async for event in events:
                    await self._send(send, *_named(event, language))
        except ServiceError as error:
            await self._fail(error, scope, send)
        except Exception:
            _log.exception("bug")
            await self._fail(Internal(), scope, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _fail(self, error: ServiceError, scope: Scope, send: Send) -> None:
        """Say what went wrong; to a caller who does not read, not for long."""
        failure = failures.describe(error, scope)
        try:
            async with within(_MAX_FAREWELL_S):
                await self._send(send, "error", failure)
        except DeadlineExceeded:
            raise CallerLeft from None

    async def _send(self, send: Send, name: str, payload: answers.Answer) -> None:
        head = f"id: {next(self._ids)}\nevent: {name}\ndata: ".encode()
        await send({"type": "http.response.body", "body": head + answers.encode(payload) + b"\n\n", "more_body": True})


def _named(event: domain.Event, language: messages.Language) -> tuple[str, answers.Answer]:
    match event:
        case domain.Progress(stage, percent):
            return "progress", answers.ProgressEvent(stage, percent, messages.progress(stage, language))
        case domain.HoldsFound():
            return "holds", answers.holds(event)
        case domain.ColorsFound():
            return "colors", answers.colors(event)
        case domain.Analysis():
            return "result", answers.analysis(event)
