"""What every HTTP request gets: an id, a receipt, a log line, a metric, and an end even when there is a bug."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from servicekit.errors import Overloaded
from servicekit.memory import MemoryMeter
from servicekit.receipts import REQUEST_ID_KEY, Receipt, is_request_id, new_request_id, open_receipt
from servicekit.tracebacks import forget
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web import handover
from gateway.web.connections import is_crowded
from gateway.web.disconnect import CallerLeft
from gateway.web.failures import note_outcome, outcome_of, respond

_log = logging.getLogger("http")
_DRAIN_S, _MAX_DRAIN_S = 0.5, 2.0
_DRAIN_BYTES_PER_S = 1_000_000  # who sends faster gets more than the least time
_RETRY_AFTER_S = 1.0
_MAX_DRAIN_BYTES = 64 * 1024 * 1024
_QUIET = frozenset(("/livez", "/readyz", "/metrics", "/api/health"))

_READS_ON = "reads_on"
_SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",  # pages say what they need
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

Observe = Callable[[str, str, float], None]
"""Told of every request's end: route, outcome, seconds."""


class Exchanges:
    """Pure ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, memory: MemoryMeter, observe: Observe) -> None:
        self._app = app
        self._memory = memory
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = Headers(scope=scope)
        request_id = headers.get(REQUEST_ID_KEY, "")
        request_id = request_id if is_request_id(request_id) else new_request_id()
        exchange = _Exchange(receive, send, request_id, scope, waits="expect" in headers)
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
                note_outcome(scope, "INTERNAL")
                _log.exception("bug")
            finally:
                self._finish(scope, exchange, receipt, time.perf_counter() - start_s)

    async def _answer(self, scope: Scope, exchange: "_Exchange") -> None:
        """Too many connections leave room for probes only."""
        if is_crowded(scope) and scope["path"] not in _QUIET:
            refusal = respond(Overloaded("Too many connections are open.", retry_after_s=_RETRY_AFTER_S), scope)
            refusal.headers["connection"] = "close"
            await refusal(scope, exchange.receive, exchange.send)
        else:
            await self._app(scope, exchange.receive, exchange.send)
            await handover.finish(scope)

    def _finish(self, scope: Scope, exchange: "_Exchange", receipt: Receipt, duration_s: float) -> None:
        matched = exchange.status not in (404, 405)  # other paths are a caller's invention, too many for a metric
        route = str(getattr(scope.get("route"), "path", scope["path"] if matched else "unmatched"))
        outcome = outcome_of(scope)
        self._observe(route, outcome, duration_s)
        fields = {
            "method": scope["method"],
            "route": route,
            "status": exchange.status,
            "outcome": outcome,
            "duration_ms": round(duration_s * 1000, 1),
            "stages": receipt.to_fields(),
        }
        _log.log(logging.DEBUG if route in _QUIET else logging.INFO, "request", extra={"fields": fields})


def read_while_answering(scope: Scope) -> None:
    """Let a request's body be read on after its answer has begun."""
    scope.setdefault("state", {})[_READS_ON] = True


class _Exchange:
    """Both directions of one request, watched."""

    __slots__ = ("_caller_waits", "_read_bytes", "_receive", "_request_id", "_scope", "_send", "_unread", "status")

    def __init__(self, receive: Receive, send: Send, request_id: str, scope: Scope, *, waits: bool) -> None:
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._scope = scope
        self._caller_waits = waits  # it sends the body only when told to go on, so there may be nothing to drain
        self._unread = True
        self._read_bytes = 0
        self.status = 0

    async def receive(self) -> Message:
        self._caller_waits = False
        message = await self._receive()
        self._unread = message["type"] == "http.request" and bool(message.get("more_body"))
        self._read_bytes += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            reads_on = bool(self._scope.get("state", {}).get(_READS_ON))
            if not reads_on:
                await self._drain()
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_KEY] = self._request_id
            for name, value in _SECURITY.items():
                headers.setdefault(name, value)
            if self._unread and not reads_on:
                headers["connection"] = "close"
        await self._send(message)

    async def _drain(self) -> None:
        """Read a refused body to its end, within limits: many clients look for the answer only after sending all.

        A connection that is closed before its body is read is reset, and the answer is lost with it. When many are
        refused at once, half a second is too short for them all; who dawdles gets no more than that.
        """
        if self._caller_waits:
            return
        begun_s, begun_bytes = asyncio.get_running_loop().time(), self._read_bytes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S) as limit:
                while self._unread and self._read_bytes < _MAX_DRAIN_BYTES:
                    await self.receive()
                    earned_s = _DRAIN_S + (self._read_bytes - begun_bytes) / _DRAIN_BYTES_PER_S
                    limit.reschedule(begun_s + min(earned_s, _MAX_DRAIN_S))
