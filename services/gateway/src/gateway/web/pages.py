"""The pages for people; everything on them comes from here, so no browser ever asks another host."""

from importlib import resources

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.core import Core

_MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def router(core: Core) -> APIRouter:  # noqa: ARG001 - every part of the application is built alike
    """The routes of the pages, whose files are read once."""
    api = APIRouter(include_in_schema=False)
    files = {
        file.name: (file.read_bytes(), _MEDIA_TYPES[file.name[file.name.rindex(".") :]])
        for file in (resources.files("gateway.web") / "static").iterdir()
    }

    @api.get("/")
    async def index() -> Response:
        return _page(*files["index.html"])

    @api.get("/docs")
    async def docs() -> Response:
        return _page(*files["docs.html"])

    @api.get("/monitor")
    async def monitor() -> Response:
        return _page(*files["monitor.html"])

    @api.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        return _page(*files[name])

    return api


def _page(content: bytes, media_type: str) -> Response:
    return Response(content, headers=_HEADERS, media_type=media_type)
