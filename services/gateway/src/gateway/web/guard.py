"""Asks for API keys, before anything else of a request is looked at."""

from servicekit.errors import ServiceError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.keys import Keyring
from gateway.web.failures import respond
from gateway.web.request_state import state_of


class Guard:
    """Pure ASGI middleware: what is not open to everybody needs a key where keys are set."""

    def __init__(self, app: ASGIApp, keyring: Keyring) -> None:
        self._app = app
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not state_of(scope).match.terms.open:
            try:
                self._admit(scope)
            except ServiceError as error:
                await respond(error, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        caller = self._keyring.admit(headers.get("authorization") or headers.get("x-api-key", ""))
        if state_of(scope).match.terms.charged:
            self._keyring.charge(caller)
        state_of(scope).caller = caller


def caller_of(scope: Scope) -> str:
    """The name of the key that a request came with; empty without keys."""
    return state_of(scope).caller
