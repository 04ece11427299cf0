"""The pages for people; everything on them comes from here, so no browser ever asks another host."""

import hashlib
import json
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.web.files import PageFile, read_all
from gateway.web.routes import OPEN, Endpoint, Operations

_PAGES = {"/": "index.html", "/docs": "docs.html", "/monitor": "monitor.html"}
_WORKER = "worker.js"
_SHARED = ("base.css", "theme.js")
_OWN_FOLDER = "page/"
"""What the page at `/` is made of, besides what all pages share; its worker keeps both, so that it opens offline."""


def operations() -> Operations:
    """The pages, whose files are read once."""
    api = Operations("pages")
    files = read_all()
    for path, name in _PAGES.items():
        api.get(path, None, OPEN)(_sends(files[name]))
    api.get(f"/{_WORKER}", None, OPEN)(
        _sends(_worker(files))
    )  # at the root, because a worker serves only what is below it

    @api.get("/static/{path:path}", None, OPEN)
    async def static(request: Request) -> Response:
        path = request.path_params["path"]
        if path not in files:
            raise HTTPException(404)
        return files[path].answer()

    return api


def _sends(file: PageFile) -> Endpoint:
    async def send(_: Request) -> Response:
        return file.answer()

    return send


def _worker(files: Mapping[str, PageFile]) -> PageFile:
    """The service worker, told what to keep and the version of all that together."""
    kept = {f"/static/{path}": file for path, file in files.items() if path in _SHARED or path.startswith(_OWN_FOLDER)}
    kept["/"] = files[_PAGES["/"]]
    version = hashlib.sha256(b"".join(file.content for file in kept.values())).hexdigest()[:20]
    told = f"const VERSION = {json.dumps(version)};\nconst KEPT = {json.dumps(sorted(kept))};\n"
    return PageFile.of(_WORKER, told.encode() + files[_WORKER].content)
