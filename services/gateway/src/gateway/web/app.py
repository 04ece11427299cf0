"""The ASGI application of the gateway."""

from starlette.applications import Starlette
from starlette.types import ASGIApp

from gateway.core import Core
from gateway.web import analyze, batch, failures, feedback_routes, job_routes, openapi, pages, probes
from gateway.web.cors import Cors
from gateway.web.exchange import Exchanges
from gateway.web.guard import Guard
from gateway.web.jobs import Jobs
from gateway.web.palette import PaletteSource
from gateway.web.representation import Representations
from gateway.web.routes import RouteTable


def build_app(core: Core, jobs: Jobs) -> ASGIApp:
    """Put the HTTP face together."""
    palette = PaletteSource(core.colorizer)
    parts = (
        analyze.operations(core, jobs),
        batch.operations(core, jobs),
        job_routes.operations(core, jobs),
        feedback_routes.operations(core, palette),
        probes.operations(core, palette),
        pages.operations(),
    )
    operations = [operation for part in parts for operation in part.all]
    table = RouteTable((*operations, openapi.operation(operations, core.version)))
    api = Starlette(routes=table.routes, exception_handlers=failures.HANDLERS)
    api.router.redirect_slashes = False
    app: ASGIApp = Representations(Guard(api, core.keyring))
    if core.settings.cors_origins:
        app = Cors(app, core.settings.cors_origins)
    return Exchanges(app, table, memory=core.lifecycle.memory, observe=core.tally.count_request)
