"""Asks for API keys, before anything else of a request is looked at."""

from servicekit.errors import ServiceError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.keys import Keyring
from gateway.web.failures import respond

_GUARDED = "/api/"
_OPEN = frozenset(("/api/health",))
_CALLER = "caller"


class Guard:
    """Pure ASGI middleware: the API needs a key where keys are set; pages and probes are for everybody."""

    def __init__(self, app: ASGIApp, keyring: Keyring) -> None:
        self._app = app
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"].startswith(_GUARDED) and scope["path"] not in _OPEN:
            try:
                self._admit(scope)
            except ServiceError as error:
                await respond(error, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        caller = self._keyring.admit(headers.get("authorization") or headers.get("x-api-key", ""))
        if scope["method"] == "POST":
            self._keyring.charge(caller)
        scope.setdefault("state", {})[_CALLER] = caller


def caller_of(scope: Scope) -> str:
    """The name of the key that a request came with; empty without keys."""
    name: str = scope.get("state", {}).get(_CALLER, "")
    return name
