"""How complete answers travel: compressed as the caller likes, and not at all when the caller has them already."""

import gzip
import hashlib
from collections.abc import Callable

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.wishes import weighted

_WORTH_BYTES = 860
"""Smaller answers fit a packet anyway."""
_COMPRESSIBLE = ("application/json", "application/javascript", "application/manifest+json", "image/svg+xml", "text/")
# The levels that cost a third of a millisecond for the answer of 40 holds; the denser ones gain some percent.
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=2, lgwin=18),
    "gzip": lambda body: gzip.compress(body, compresslevel=1, mtime=0),
}


class Representations:
    """Pure ASGI middleware; what is streamed passes through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, _Answer(scope, send).send)


class _Answer:
    def __init__(self, scope: Scope, send: Send) -> None:
        self._asked = Headers(scope=scope)
        self._reads = scope["method"] in ("GET", "HEAD")
        self._send = send
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            if not message.get("more_body"):
                self._settle(start, message)
            await self._send(start)
        await self._send(message)

    def _settle(self, start: Message, message: Message) -> None:
        headers, body = MutableHeaders(scope=start), message.get("body", b"")
        if self._reads and start["status"] == 200 and "no-store" not in headers.get("cache-control", ""):
            headers["etag"] = tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            if _has(self._asked, tag):
                start["status"], message["body"] = 304, b""
                del headers["content-length"], headers["content-type"]
                return
        if len(body) >= _WORTH_BYTES and headers.get("content-type", "").startswith(_COMPRESSIBLE):
            headers.add_vary_header("Accept-Encoding")
            coding = _coding(self._asked)
            if coding is not None:
                message["body"] = body = _COMPRESS[coding](body)
                headers["content-encoding"], headers["content-length"] = coding, str(len(body))


def _has(asked: Headers, tag: str) -> bool:
    """Whether the caller's `If-None-Match` has the tag; the comparison is weak, as it says (RFC 9110, 13.1.2)."""
    known = [item.strip() for item in ",".join(asked.getlist("if-none-match")).split(",")]
    return "*" in known or tag.removeprefix("W/") in {item.removeprefix("W/") for item in known}


def _coding(asked: Headers) -> str | None:
    """The coding that the caller likes best; the denser one where both are liked alike."""
    liked = dict(weighted(asked, "accept-encoding"))
    best = max(_COMPRESS, key=lambda coding: liked.get(coding, liked.get("*", 0.0)))
    return best if liked.get(best, liked.get("*", 0.0)) > 0 else None
