"""The ASGI application of the gateway."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
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
    api = FastAPI(
        title="climbmate",
        summary="Holds, colors and boulder problems of an indoor climbing wall, from one photo.",
        version=core.version,
        docs_url=None,  # those pages load scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=Response,  # what is answered is described by each route
    )
    palette = PaletteSource(core.colorizer)
    for router in (
        analyze.router(core, jobs),
        batch.router(core, jobs),
        job_routes.router(core, jobs),
        feedback_routes.router(core, palette),
        probes.router(core, palette),
        pages.router(core),
    ):
        api.include_router(router)
    failures.install(api)
    openapi.install(api)
    app: ASGIApp = Representations(Guard(api, core.keyring))
    if core.settings.cors_origins:
        app = CORSMiddleware(app, allow_origins=core.settings.cors_origins, **_CORS)
    return Exchanges(app, memory=core.lifecycle.memory, observe=core.tally.count_request)
