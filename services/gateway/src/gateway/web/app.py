"""The ASGI application of the gateway."""

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp

from gateway.core import Core
from gateway.web import analyze, failures, openapi, pages, probes
from gateway.web.exchange import Exchanges


def build_app(core: Core) -> ASGIApp:
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
    for part in (analyze, probes, pages):
        api.include_router(part.router(core))
    failures.install(api)
    openapi.install(api)
    return Exchanges(api, memory=core.lifecycle.memory, observe=core.tally.count_request)
