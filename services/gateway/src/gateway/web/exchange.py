"""What every HTTP request gets: an id, a receipt, a log line, a metric, and an end even when there is a bug."""

import asyncio
import logging
import time
from collections.abc import Callable

from servicekit.errors import Internal, Overloaded, ServiceError
from servicekit.memory import MemoryMeter
from servicekit.receipts import REQUEST_ID_KEY, Receipt, is_request_id, new_request_id, open_receipt
from servicekit.tracebacks import forget
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web import handover, heads
from gateway.web.connections import Connection, connection_of
from gateway.web.disconnect import CallerLeft
from gateway.web.failures import note_outcome, respond
from gateway.web.request_state import open_state, state_of
from gateway.web.routes import RouteTable

_log = logging.getLogger("http")
_RETRY_AFTER_S = 1.0
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))

_SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",  # pages say what they need
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


Observe = Callable[[str, str, float, bool], None]
"""Told of every request's end: the route's template or `unmatched`, outcome, seconds, and whether it was work."""


class Exchanges:
    """Pure ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, table: RouteTable, *, memory: MemoryMeter, observe: Observe) -> None:
        self._app = app
        self._table = table
        self._memory = memory
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        heads.to_origin_form(scope)
        open_state(scope, self._table.match(scope))
        request_id = Headers(scope=scope).get(REQUEST_ID_KEY, "")
        request_id = request_id if is_request_id(request_id) else new_request_id()
        exchange = _Exchange(scope, receive, send, request_id)
        start_s = time.perf_counter()
        with open_receipt(request_id, self._memory) as receipt:
            try:
                await self._answer(scope, exchange)
            except (CallerLeft, ClientDisconnect) as left:
                note_outcome(scope, "CANCELLED")
                forget(left)
            except asyncio.CancelledError:
                note_outcome(scope, "CANCELLED")
                raise
            except Exception:
                _log.exception("bug")
                await exchange.fail()
            finally:
                self._finish(scope, exchange, receipt, time.perf_counter() - start_s)

    async def _answer(self, scope: Scope, exchange: "_Exchange") -> None:
        refusal = connection_of(scope).broken or heads.refusal(scope) or _crowded(scope)
        if refusal is None:
            await self._app(scope, exchange.receive, exchange.send)
            await handover.finish(scope)
        else:
            answer = respond(refusal, scope)
            answer.headers["connection"] = "close"
            await answer(scope, exchange.receive, exchange.send)

    def _finish(self, scope: Scope, exchange: "_Exchange", receipt: Receipt, duration_s: float) -> None:
        state = state_of(scope)
        terms = state.match.terms
        self._observe(state.match.route, state.outcome, duration_s, terms.activity)
        fields = {
            "method": scope["method"] if scope["method"] in _METHODS else "other",
            "route": state.match.route,
            "status": exchange.status,
            "outcome": state.outcome,
            "duration_ms": round(duration_s * 1000, 1),
            "stages": receipt.to_fields(),
        }
        _log.log(logging.DEBUG if terms.probe else logging.INFO, "request", extra={"fields": fields})


def read_while_answering(scope: Scope) -> None:
    """Let a request's body be read on after its answer has begun."""
    state_of(scope).reads_on = True


def _crowded(scope: Scope) -> ServiceError | None:
    """Too many connections leave room for probes only."""
    if connection_of(scope).crowded and not state_of(scope).match.terms.probe:
        return Overloaded("Too many connections are open.", retry_after_s=_RETRY_AFTER_S)
    return None


class _Exchange:
    """Both directions of one request, watched."""

    __slots__ = ("_connection", "_receive", "_request_id", "_scope", "_send", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._connection: Connection = connection_of(scope)
        self.status = 0

    async def receive(self) -> Message:
        """Receive the next message.

        Raises:
            ServiceError: The body cannot be read on.
        """
        message = await self._receive()
        if self._connection.broken is not None and message["type"] == "http.request":
            raise self._connection.broken
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
        await self._send(message)

    async def fail(self) -> None:
        """Tell of a bug, if nothing was told yet."""
        note_outcome(self._scope, "INTERNAL")
        if not self.status:
            await respond(Internal(), self._scope)(self._scope, self.receive, self.send)

    def _begin(self, message: Message) -> None:
        self.status = message["status"]
        headers = MutableHeaders(scope=message)
        headers[REQUEST_ID_KEY] = self._request_id
        for name, value in _SECURITY.items():
            headers.setdefault(name, value)
        if self._connection.unread and not state_of(self._scope).reads_on:
            headers["connection"] = "close"
