"""The ASGI application of the gateway."""

from typing import Any

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from gateway.core import Core
from gateway.web import analyze, batch, failures, feedback_routes, job_routes, openapi, pages, probes
from gateway.web.exchange import Exchanges
from gateway.web.guard import Guard
from gateway.web.jobs import Jobs
from gateway.web.palette import PaletteSource
from gateway.web.representation import Representations

_CORS: dict[str, Any] = {
    "allow_methods": ("GET", "POST", "DELETE"),
    "allow_headers": (
        "Authorization",
        "Cache-Control",
        "Last-Event-ID",
        "Prefer",
        "X-API-Key",
        "X-Request-Deadline-Ms",
        "X-Request-Id",
    ),
    "expose_headers": ("Content-Location", "ETag", "Location", "Preference-Applied", "Retry-After", "X-Request-Id"),
}


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
    routes = [operation.route() for operation in (*operations, openapi.operation(operations, core.version))]
    api = Starlette(routes=routes, exception_handlers=failures.HANDLERS)
    api.router.redirect_slashes = False
    app: ASGIApp = Representations(Guard(api, core.keyring))
    if core.settings.cors_origins:
        app = CORSMiddleware(app, allow_origins=core.settings.cors_origins, **_CORS)
    return Exchanges(app, memory=core.lifecycle.memory, observe=core.tally.count_request)
