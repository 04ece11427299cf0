"""HTTP connections with an end: uvicorn has no timeout for the head of a request, and its limit refuses probes too."""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_KEPT_FOR_PROBES = 32
_CROWDED = "crowded"
_READ_AHEAD = "read_ahead"
_FIRST_READ_BYTES, _READ_BYTES = 16 * 1024, 256 * 1024  # at once from a socket: until there is room, and then


@dataclass(frozen=True, slots=True)
class Patience:
    """How many connections are served at once, and how long each may take to send the head of a request."""

    max_connections: int
    head_timeout_s: float


class Connection(HttpToolsProtocol):
    """One connection. Beyond the limit some more are kept for probes, whose requests are marked `is_crowded`."""

    # Thirty attributes share their names between connections, and uvicorn has 28: more would cost a kilobyte each.
    __slots__ = ("_extra", "_head_timer", "_patience", "_reads_ahead")

    def __init__(self, *args: Any, patience: Patience, **kwargs: Any) -> None:  # noqa: ANN401 - as uvicorn gives them
        super().__init__(*args, **kwargs)
        self._patience = patience
        self._head_timer: asyncio.TimerHandle | None = None
        self._extra = False
        self._reads_ahead = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or close it at once."""
        super().connection_made(transport)
        self._read_at_once(_FIRST_READ_BYTES)
        self._extra = len(self.connections) > self._patience.max_connections
        if len(self.connections) > self._patience.max_connections + _KEPT_FOR_PROBES:
            transport.abort()
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._disarm()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request's first byte has come, maybe on a connection that was kept alive."""
        super().on_message_begin()
        self._expect_head()
        self._reads_ahead = False
        self._read_at_once(_FIRST_READ_BYTES)
        self.scope["state"][_READ_AHEAD] = self._read_ahead
        self.scope["state"][_CROWDED] = self._extra and len(self.connections) > self._patience.max_connections

    def on_headers_complete(self) -> None:
        """The head has come in time."""
        self._disarm()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body has come; until there is room for the rest, one waits here at most."""
        super().on_body(body)
        if not (self._reads_ahead or self.cycle.response_complete):  # what comes later is thrown away
            self.flow.pause_reading()

    def _read_ahead(self) -> None:
        self._reads_ahead = True
        self._read_at_once(_READ_BYTES)

    def _read_at_once(self, size_bytes: int) -> None:
        """What waits for room is in memory already, so it should be little; asyncio's own bound is 256 KiB."""
        self.transport.max_size = size_bytes  # type: ignore[attr-defined] # of asyncio's selector transport

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._patience.head_timeout_s, self._cut)

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _cut(self) -> None:
        self._head_timer = None
        self.transport.abort()


def is_crowded(scope: Scope) -> bool:
    """Whether a request came on a connection beyond the limit."""
    return bool(scope.get("state", {}).get(_CROWDED))


def read_ahead(scope: Scope) -> None:
    """Read a request's body in large pieces from now on."""
    scope.get("state", {}).get(_READ_AHEAD, lambda: None)()
