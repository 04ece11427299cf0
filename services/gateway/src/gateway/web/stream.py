"""What a job tells as server-sent events (html.spec.whatwg.org, section 9.2)."""

import contextlib
import logging
from collections.abc import Mapping

from servicekit.deadlines import within
from servicekit.errors import DeadlineExceeded, Internal, ServiceError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.deadline import Deadline
from gateway.feedback_store import FeedbackStore
from gateway.web import answers, failures
from gateway.web.connections import fill_with
from gateway.web.disconnect import CallerLeft, unless_caller_leaves
from gateway.web.job import Job
from gateway.web.told import give, render

_log = logging.getLogger("stream")
_MAX_FAREWELL_S = 0.5
_COMMENT = b":\n\n"


class EventStream(Response):
    """Answers with the events as they come. A failure after the start is an `error` event, the last one."""

    media_type = "text/event-stream"

    def __init__(
        self,
        job: Job,
        deadline: Deadline,
        feedback: FeedbackStore,
        *,
        after: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Tell what came `after` the event of that number, and what comes until the deadline."""
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})})
        del self.headers["content-length"]
        self._job = job
        self._deadline = deadline
        self._feedback = feedback
        self._told = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all events; the caller may leave."""
        await unless_caller_leaves(receive, self._stream(scope, send))

    async def _stream(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        fill_with(scope, _COMMENT)
        try:
            async with within(self._deadline.left_s()):
                await self._tell(scope, send)
        except ServiceError as error:
            await self._fail(error, scope, send)
        except Exception:
            _log.exception("bug")
            await self._fail(Internal(), scope, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, scope: Scope, send: Send) -> None:
        language = failures.language_of(scope)
        async with contextlib.aclosing(self._job.told_after(self._told)) as events:
            async for number, event in events:
                self._told = number
                if event.name == "result":
                    await self._send(send, number, event.name, give(event, scope, self._feedback))
                    return
                await self._send(send, number, event.name, render(event, language=language))

    async def _fail(self, error: ServiceError, scope: Scope, send: Send) -> None:
        """Say what went wrong; to a caller who does not read, not for long."""
        failure = answers.encode(failures.describe(error, scope))
        try:
            async with within(_MAX_FAREWELL_S):
                await self._send(send, self._told + 1, "error", failure)
        except DeadlineExceeded:
            raise CallerLeft from None

    async def _send(self, send: Send, number: int, name: str, data: bytes) -> None:
        head = f"id: {number}\nevent: {name}\ndata: ".encode()
        await send({"type": "http.response.body", "body": head + data + b"\n\n", "more_body": True})
