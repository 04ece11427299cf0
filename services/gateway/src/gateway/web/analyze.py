"""`POST /api/analyze` and `POST /api/analyze-stream`."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from servicekit.deadlines import within
from servicekit.errors import Internal
from servicekit.limits import MAX_HOLDS
from servicekit.receipts import current_receipt
from starlette.responses import Response

from gateway import domain
from gateway.admission import COPIES
from gateway.core import Core
from gateway.deadline import Deadline
from gateway.web import answers, openapi
from gateway.web.disconnect import unless_caller_leaves
from gateway.web.pace import Pace
from gateway.web.stream import EventStream
from gateway.web.upload import Upload, declared_bytes

_MAX_DEADLINE_MS = 600_000


class AnalyzeQuery(BaseModel):
    """What may be asked for; any other parameter is refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_holds: Annotated[
        int | None, Field(ge=1, le=MAX_HOLDS, description="At most this many holds, the largest areas first chosen.")
    ] = None
    min_confidence: Annotated[float | None, Field(ge=0.01, le=1, description="Only holds at least this confident.")] = (
        None
    )
    min_holds: Annotated[
        int, Field(ge=domain.MIN_HOLDS_FROM, le=domain.MIN_HOLDS_TO, description="Fewer holds give no problem.")
    ] = domain.MIN_HOLDS

    def options(self) -> domain.Options:
        """The same for the analysis."""
        return domain.Options(self.max_holds, self.min_confidence, self.min_holds)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A photo that has arrived, and the events of its analysis, which starts with the first one asked for."""

    events: AsyncGenerator[domain.Event, None]
    deadline: Deadline


def router(core: Core) -> APIRouter:
    """The routes that take photos."""
    api = APIRouter(tags=["analysis"])

    async def receive(
        request: Request,
        query: Annotated[AnalyzeQuery, Query()],
        x_request_deadline_ms: Annotated[
            int | None,
            Header(
                ge=1,
                le=_MAX_DEADLINE_MS,
                description="Milliseconds from the request's arrival by which it is answered, upload included.",
            ),
        ] = None,
    ) -> AsyncIterator[Incoming]:
        own_s = None if x_request_deadline_ms is None else x_request_deadline_ms / 1000
        async with _received(core, request, query.options(), own_s) as incoming:
            yield incoming

    @api.post("/api/analyze", **openapi.ANALYZE)
    async def analyze(request: Request, incoming: Annotated[Incoming, Depends(receive)]) -> Response:
        """Find the holds, colors and problems of one photo."""
        known = await unless_caller_leaves(request.receive, _last(incoming))
        return Response(answers.encode(answers.analysis(known)), media_type="application/json")

    @api.post("/api/analyze-stream", **openapi.ANALYZE_STREAM)
    async def analyze_stream(incoming: Annotated[Incoming, Depends(receive)]) -> Response:
        """The same, told step by step: outlines first, colors as they are named, the whole answer last."""
        return EventStream(incoming.events, incoming.deadline)

    return api


@contextlib.asynccontextmanager
async def _received(
    core: Core, request: Request, options: domain.Options, own_s: float | None
) -> AsyncIterator[Incoming]:
    """Admit a request and read its photo; inside, it counts as in flight.

    Args:
        core: The gateway.
        request: The request, its body unread.
        options: What to look for.
        own_s: The caller's own deadline in seconds from now, upload included. Without one the analysis has its time
            from the last byte of the photo, because a phone's network may need longer for the upload than that.
    """
    settings = core.settings
    end = Deadline.after(settings.gateway_upload_deadline_s + settings.request_deadline_s if own_s is None else own_s)
    upload_s = min(settings.gateway_upload_deadline_s, end.left_s())
    size_bytes = declared_bytes(request.headers)
    pace = Pace.of(
        size_bytes,
        deadline_s=settings.gateway_upload_deadline_s,
        grace_s=min(settings.gateway_upload_grace_s, upload_s),
        min_bytes_per_s=settings.gateway_min_upload_bytes_per_s,
    )
    upload = Upload(request, pace)
    with core.admission.count():
        await upload.begin()
        async with core.admission.hold(COPIES * size_bytes, max_wait_s=upload_s) as memory:
            photo = await upload.photo(timeout_s=min(upload_s, max(0.0, end.left_s())))
            memory.shrink_to(COPIES * photo.size_bytes)
            deadline = Deadline.after(max(0.0, min(settings.request_deadline_s, end.left_s())))
            receipt = current_receipt()
            events = core.analyzer.analyze(
                photo, options, deadline=deadline, request_id=receipt.request_id if receipt else ""
            )
            async with contextlib.aclosing(events):
                yield Incoming(events, deadline)


async def _last(incoming: Incoming) -> domain.Analysis:
    async with within(incoming.deadline.left_s()):
        async for event in incoming.events:
            if isinstance(event, domain.Analysis):
                return event
    raise Internal
