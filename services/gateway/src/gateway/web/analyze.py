"""`POST /api/analyze` and `POST /api/analyze-stream`."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from servicekit.limits import MAX_HOLDS
from servicekit.palettes import MAX_COLORS, MAX_NAME_CHARS, MAX_PROMPT_CHARS
from servicekit.receipts import current_receipt
from starlette.responses import Response

from gateway import domain
from gateway.core import Core
from gateway.web import callers_palette, job_routes, openapi, overlay, wishes
from gateway.web.disconnect import unless_caller_leaves
from gateway.web.intake import Incoming, Terms, last_result, received
from gateway.web.jobs import Jobs
from gateway.web.stream import EventStream
from gateway.web.told import result_json

_MAX_DEADLINE_MS = 600_000
MAX_PALETTE_CHARS = MAX_COLORS * (MAX_NAME_CHARS + MAX_PROMPT_CHARS + 2)


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
    palette: Annotated[
        str,
        Field(
            max_length=MAX_PALETTE_CHARS,
            description="Colors to name holds by instead of the colorizer's own, at most 64, separated by commas. "
            "Each is a name, or a name, a colon and what to look for in words.",
            examples=["red,mint,neon yellow,wood:a hold of bare wood"],
        ),
    ] = ""

    def options(self) -> domain.Options:
        """The same for the analysis.

        Raises:
            InvalidParameter: The palette cannot be used.
        """
        palette = callers_palette.parse(self.palette)
        return domain.Options(self.max_holds, self.min_confidence, self.min_holds, palette)


def router(core: Core, jobs: Jobs) -> APIRouter:
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
        async with received(core, jobs, request, Terms.of(request.headers, query.options(), own_s)) as incoming:
            yield incoming

    @api.post("/api/analyze", **openapi.ANALYZE)
    async def analyze(request: Request, incoming: Annotated[Incoming, Depends(receive)]) -> Response:
        """Find the holds, colors and problems of one photo."""
        if incoming.job.kept and wishes.is_async(request.headers):
            return job_routes.accepted(incoming.job, request.scope)
        result = await unless_caller_leaves(request.receive, last_result(incoming))
        headers = {"content-location": job_routes.address(incoming.job), "vary": "Accept"}
        if wishes.is_svg(request.headers):
            return Response(overlay.draw(result), headers=headers, media_type=wishes.SVG)
        receipt = current_receipt()
        body = result_json(result, "" if receipt is None else receipt.request_id)
        return Response(body, headers=headers, media_type=wishes.JSON)

    @api.post("/api/analyze-stream", **openapi.ANALYZE_STREAM)
    async def analyze_stream(incoming: Annotated[Incoming, Depends(receive)]) -> Response:
        """The same, told step by step: outlines first, colors as they are named, the whole answer last."""
        return EventStream(
            incoming.job, incoming.deadline, headers={"content-location": f"{job_routes.address(incoming.job)}/events"}
        )

    return api
