"""`POST /api/analyze-batch`: several photos in one form, their results as lines of JSON in the order of completion."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

import msgspec
from servicekit.deadlines import within
from servicekit.errors import Internal, ServiceError
from servicekit.receipts import current_receipt
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import formats
from gateway.admission import MAX_UPLOAD_BYTES, Held
from gateway.core import Core
from gateway.deadline import Deadline
from gateway.web import answers, failures, media_type, openapi, questions, wishes
from gateway.web.batch_form import MAX_PHOTOS, Arrived, BatchForm
from gateway.web.connections import fill_with
from gateway.web.disconnect import unless_caller_leaves
from gateway.web.exchange import read_while_answering
from gateway.web.guard import caller_of
from gateway.web.intake import Incoming, Terms, find_job, last_result
from gateway.web.jobs import Jobs
from gateway.web.multipart import too_large
from gateway.web.pace import Pace, in_pace
from gateway.web.routes import ANALYSIS, Operations
from gateway.web.told import give

_log = logging.getLogger("batch")
_AT_ONCE = 4
_MAX_BODY_BYTES = MAX_PHOTOS * MAX_UPLOAD_BYTES
_ID_CHARACTERS = 60


def operations(core: Core, jobs: Jobs) -> Operations:
    """The operation."""
    api = Operations("analysis")

    @api.post("/api/analyze-batch", openapi.ANALYZE_BATCH, ANALYSIS)
    async def analyze_batch(request: Request) -> Response:
        """Analyze up to 20 photos of one form; each is answered as soon as it is known, in any order."""
        return Batch(core, jobs, request, _form(request))

    return api


def _form(request: Request) -> BatchForm:
    query = request.scope["query_string"]
    questions.options(query)  # before anything of the form is read
    media_type.check(request.headers, media_type.FORM)
    if int(request.headers.get("content-length", 0)) > _MAX_BODY_BYTES:
        raise too_large()
    return BatchForm(request.headers["content-type"], query)


class Batch(Response):
    """Reads photo after photo and answers meanwhile: one photo arrives, and a few more are analyzed, at any time."""

    media_type = "application/x-ndjson"

    def __init__(self, core: Core, jobs: Jobs, request: Request, form: BatchForm) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._core = core
        self._jobs = jobs
        self._request = request
        self._form = form
        self._fresh = wishes.is_fresh(request.headers)
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._writing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._failed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, analyze, answer; stop all when the caller leaves."""
        read_while_answering(scope)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        fill_with(scope, b"\n")
        error: answers.Failure | None = None
        counted = contextlib.ExitStack()
        try:
            try:
                counted.enter_context(self._core.admission.count())
                await self._read(scope, send)
            except ServiceError as failure:
                error = failures.describe(failure, scope).error
            await unless_caller_leaves(receive, self._all())
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            counted.close()
        await self._write(send, answers.BatchEnd(len(self._tasks), self._failed, error))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _all(self) -> None:
        """Wait for what was read; who does not take the answers is waited for as long as for one photo."""
        async with within(self._core.settings.request_deadline_s):
            await asyncio.gather(*self._tasks)

    async def _read(self, scope: Scope, send: Send) -> None:
        settings = self._core.settings
        pace = Pace.of(
            MAX_UPLOAD_BYTES,
            deadline_s=settings.gateway_upload_deadline_s,
            grace_s=settings.gateway_upload_grace_s,
            min_bytes_per_s=settings.gateway_min_upload_bytes_per_s,
            crowded=lambda: self._core.admission.crowded,
        )
        arrivals = self._arrivals(in_pace(self._request.stream(), pace))
        async with within(MAX_PHOTOS * settings.gateway_upload_deadline_s), contextlib.aclosing(arrivals):
            async for arrived, held in arrivals:
                self._tasks.append(asyncio.create_task(self._one(arrived, held, scope, send)))
                await asyncio.sleep(0)  # a task that is cancelled before its first step closes nothing

    async def _arrivals(
        self, pieces: AsyncIterator[bytes]
    ) -> AsyncGenerator[tuple[Arrived, contextlib.AsyncExitStack], None]:
        """Every photo when it has arrived, with what is held for it."""
        room: tuple[Held, contextlib.AsyncExitStack] | None = None
        try:
            async for piece in pieces:
                failure = self._feed(piece)
                for arrived in self._form.take():
                    memory, held = room or await self._room(arrived.photo.size_bytes)
                    room = None
                    memory.shrink_to(arrived.photo.size_bytes)
                    yield arrived, held
                if failure is not None:
                    raise failure
                if self._form.arriving and room is None:
                    room = await self._room(MAX_UPLOAD_BYTES)
            self._form.finish()
        finally:
            if room is not None:
                await room[1].aclose()

    def _feed(self, piece: bytes) -> ServiceError | None:
        """Take a piece; what is wrong with it comes after the photos that arrived before."""
        try:
            self._form.feed(piece)
        except ServiceError as error:
            return error
        return None

    async def _room(self, size_bytes: int) -> tuple[Held, contextlib.AsyncExitStack]:
        """Wait for room for one more photo, which holds one of the batch's own places as well."""
        async with contextlib.AsyncExitStack() as held:
            await self._free.acquire()
            held.callback(self._free.release)
            wait_s = self._core.settings.gateway_upload_deadline_s
            memory = await held.enter_async_context(self._core.admission.hold(size_bytes, max_wait_s=wait_s))
            return memory, held.pop_all()

    async def _one(self, arrived: Arrived, held: contextlib.AsyncExitStack, scope: Scope, send: Send) -> None:
        """Analyze a photo and write its line."""
        try:
            line = await self._line(arrived, held)
        except ServiceError as error:
            line = self._failure(arrived, error, scope)
        except Exception:
            _log.exception("bug")
            line = self._failure(arrived, Internal(), scope)
        await self._write(send, line)

    async def _line(self, arrived: Arrived, held: contextlib.AsyncExitStack) -> answers.BatchLine:
        photo, deadline = arrived.photo, Deadline.after(self._core.settings.request_deadline_s)
        async with held:
            formats.check(photo.head)
            if arrived.index:  # the first was charged with the request
                self._core.keyring.charge(caller_of(self._request.scope))
            photo.sending = functools.partial(self._core.admission.send, photo.size_bytes)
            terms = Terms(self._form.options, fresh=self._fresh)
            counted = contextlib.ExitStack()  # by the whole batch
            subscription = find_job(self._jobs, photo, terms, deadline, held=held, place=counted)
        try:
            result = await last_result(Incoming(subscription, deadline))
        finally:
            subscription.leave()
        receipt = current_receipt()
        request_id = f"{receipt.request_id[:_ID_CHARACTERS]}-{arrived.index}" if receipt else ""
        encoded = msgspec.Raw(give(result, self._request.scope, self._core.feedback, request_id=request_id))
        return answers.BatchLine(arrived.index, arrived.name, result=cast("answers.Analysis", encoded))

    def _failure(self, arrived: Arrived, error: ServiceError, scope: Scope) -> answers.BatchLine:
        self._failed += 1
        return answers.BatchLine(arrived.index, arrived.name, error=failures.describe(error, scope).error)

    async def _write(self, send: Send, line: answers.Answer) -> None:
        async with self._writing:
            await send({"type": "http.response.body", "body": answers.encode(line) + b"\n", "more_body": True})
