"""What operators and orchestrators ask; answered from memory, whatever else goes on."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from gateway.core import Core
from gateway.web import answering, answers, openapi, reports
from gateway.web.palette import PaletteSource
from gateway.web.routes import PROBE, Operations

_NO_STORE = {"cache-control": "no-store"}


def operations(core: Core, palette_source: PaletteSource) -> Operations:
    """What tells about the gateway."""
    api = Operations("operation")

    @api.get("/livez", openapi.LIVEZ, PROBE)
    async def livez(_: Request) -> Response:
        """Whether the process works."""
        return _json(reports.Probe("alive"))

    @api.get("/readyz", openapi.READYZ, PROBE)
    async def readyz(_: Request) -> Response:
        """Whether photos are welcome: 503 until every dependency serves, without a detector, and while draining."""
        return _json(reports.Probe("ready")) if core.ready else _json(reports.Probe("unready"), 503)

    @api.get("/api/health", openapi.HEALTH, PROBE)
    async def health(_: Request) -> Response:
        """How the gateway and everything it depends on are; 503 unless all of them serve."""
        report = reports.health(core)
        return _json(report, 200 if report.serving else 503)

    @api.get("/metrics", openapi.METRICS, PROBE)
    async def metrics(_: Request) -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(core.lifecycle.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @api.get("/api/palette", openapi.PALETTE)
    async def palette(_: Request) -> Response:
        """The color names, their prompts, and the RGB to draw them with."""
        body = answers.encode(answering.palette(await palette_source.get()))
        return Response(body, headers={"cache-control": "no-cache"}, media_type="application/json")

    return api


def _json(body: answers.Answer, status: int = 200) -> Response:
    return Response(answers.encode(body), status, _NO_STORE, "application/json")
