"""The pages for people; self-contained, so no browser ever asks another host."""

from importlib import resources

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from gateway.core import Core

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def router(core: Core) -> APIRouter:  # noqa: ARG001 - every part of the application is built alike
    """The routes of the pages, read once."""
    api = APIRouter(include_in_schema=False)
    index, docs = _read("index.html"), _read("docs.html")

    @api.get("/")
    async def show_index() -> Response:
        return HTMLResponse(index, headers=_HEADERS)

    @api.get("/docs")
    async def show_docs() -> Response:
        return HTMLResponse(docs, headers=_HEADERS)

    return api


def _read(name: str) -> bytes:
    return (resources.files("gateway.web") / "static" / name).read_bytes()
