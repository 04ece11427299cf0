"""Which pages of other origins may call the API from browsers."""

from collections.abc import Sequence

from servicekit.errors import InvalidRequest
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.web.failures import respond

_METHODS = ("GET", "POST", "DELETE")
_HEADERS = (
    "Authorization",
    "Cache-Control",
    "Last-Event-ID",
    "Prefer",
    "X-API-Key",
    "X-Request-Deadline-Ms",
    "X-Request-Id",
)
_EXPOSED = ("Content-Location", "ETag", "Location", "Preference-Applied", "Retry-After", "X-Request-Id")


class Cors(CORSMiddleware):
    """Starlette's, whose refusals have the shape of every error."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_methods=_METHODS, allow_headers=_HEADERS, expose_headers=_EXPOSED
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a browser that asks before its page may."""
        answer = super().preflight_response(request_headers)
        return answer if answer.status_code == 200 else _Refused()


class _Refused(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = {"allowed_methods": ", ".join(_METHODS), "allowed_headers": ", ".join(_HEADERS)}
        error = InvalidRequest("This origin, method or header is not allowed to pages of others.", details=allowed)
        await respond(error, scope)(scope, receive, send)
