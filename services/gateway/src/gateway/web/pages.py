"""The pages for people; everything on them comes from here, so no browser ever asks another host."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.core import Core
from gateway.web.files import PageFile, read_all

_PAGES = {"/": "index.html", "/docs": "docs.html", "/monitor": "monitor.html"}
_WORKER = "worker.js"
_SHARED = ("base.css", "theme.js")
_OWN_FOLDER = "page/"
"""What the page at `/` is made of, besides what all pages share; its worker keeps both, so that it opens offline."""


def router(core: Core) -> APIRouter:  # noqa: ARG001 - every part of the application is built alike
    """The routes of the pages, whose files are read once."""
    api = APIRouter(include_in_schema=False)
    files = read_all()
    for path, name in _PAGES.items():
        api.get(path)(_sends(files[name]))
    api.get(f"/{_WORKER}")(_sends(_worker(files)))  # at the root, because a worker serves only what is below it

    @api.get("/static/{path:path}")
    async def static(path: str) -> Response:
        if path not in files:
            raise HTTPException(404)
        return files[path].answer()

    return api


def _sends(file: PageFile) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        return file.answer()

    return send


def _worker(files: Mapping[str, PageFile]) -> PageFile:
    """The service worker, told what to keep and the version of all that together."""
    kept = {f"/static/{path}": file for path, file in files.items() if path in _SHARED or path.startswith(_OWN_FOLDER)}
    kept["/"] = files[_PAGES["/"]]
    version = hashlib.sha256(b"".join(file.content for file in kept.values())).hexdigest()[:20]
    told = f"const VERSION = {json.dumps(version)};\nconst KEPT = {json.dumps(sorted(kept))};\n"
    return PageFile.of(_WORKER, told.encode() + files[_WORKER].content)
