"""`POST /api/analyze` and `POST /api/analyze-stream`."""

import contextlib

from starlette.requests import Request
from starlette.responses import Response

from gateway.core import Core
from gateway.web import job_routes, openapi, overlay, parameters, questions, wishes
from gateway.web.disconnect import unless_caller_leaves
from gateway.web.handover import Holding
from gateway.web.intake import Incoming, Terms, last_result, received
from gateway.web.jobs import Jobs
from gateway.web.questions import AnalyzeHeaders
from gateway.web.routes import ANALYSIS, Operations
from gateway.web.stream import EventStream
from gateway.web.told import give


def operations(core: Core, jobs: Jobs) -> Operations:
    """The operations that take photos."""
    api = Operations("analysis")

    def receive(request: Request) -> contextlib.AbstractAsyncContextManager[Incoming]:
        options = questions.options(request.scope["query_string"])  # before the upload; its form's fields come later
        own_ms = parameters.read_headers(request.headers, AnalyzeHeaders).x_request_deadline_ms
        own_s = None if own_ms is None else own_ms / 1000
        return received(core, jobs, request, Terms.of(request.headers, options, own_s))

    @api.post("/api/analyze", openapi.ANALYZE, ANALYSIS)
    async def analyze(request: Request) -> Response:
        """Find the holds, colors and problems of one photo."""
        async with contextlib.AsyncExitStack() as held:
            incoming = await held.enter_async_context(receive(request))
            return Holding(await _answer(core, request, incoming), held.pop_all())

    @api.post("/api/analyze-stream", openapi.ANALYZE_STREAM, ANALYSIS)
    async def analyze_stream(request: Request) -> Response:
        """The same, told step by step: outlines first, colors as they are named, the whole answer last."""
        async with contextlib.AsyncExitStack() as held:
            incoming = await held.enter_async_context(receive(request))
            headers = {"content-location": f"{job_routes.address(incoming.subscription)}/events"}
            return Holding(EventStream(incoming.job, incoming.deadline, core.feedback, headers=headers), held.pop_all())

    return api


async def _answer(core: Core, request: Request, incoming: Incoming) -> Response:
    if incoming.subscription.kept:
        return job_routes.accepted(incoming.subscription, request.scope, core.feedback)
    result = await unless_caller_leaves(request.receive, last_result(incoming))
    body = give(result, request.scope, core.feedback)
    headers = {"content-location": job_routes.address(incoming.subscription), "vary": "Accept"}
    if wishes.is_svg(request.headers):
        return Response(overlay.draw(body), headers=headers, media_type=wishes.SVG)
    return Response(body, headers=headers, media_type=wishes.JSON)
