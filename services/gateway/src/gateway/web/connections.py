"""HTTP connections on uvicorn and h11 that are bounded before a request is a request.

h11 parses one event after the other, and keeps at most `MAX_HEAD_BYTES` and one read of what is none yet. What comes
after a request stays with the sender until that is answered. What does not parse is answered by the application.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h11
from servicekit.errors import DeadlineExceeded, InvalidRequest, ServiceError
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from gateway.web import heads
from gateway.web.lingering import LingeringTransport

_KEPT_FOR_PROBES = 32
_CONNECTION = "connection"
_FIRST_READ_BYTES = 16 * 1024  # at once from a socket: what waits for room is in memory already, so it should be little
_READ_BYTES = 256 * 1024
_CHUNKED_READ_BYTES = 32 * 1024  # 5,000 chunks of one byte, which take 30 ms to parse
_ASK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How many connections are served at once, and how long each may take to send the head of a request."""

    max_connections: int
    head_timeout_s: float


class Connection(H11Protocol):
    """One connection. Beyond the limit some more are kept for probes.

    Attributes:
        broken: What is wrong with the bytes that came; none after them are used.
        half_closed: Whether the caller sends no more.
        filler: What means nothing in the answer that has begun.
    """

    # With uvicorn's, more than the thirty attributes whose names connections share: each would cost a kilobyte.
    __slots__ = ("_closing", "_extra", "_patience", "_reads_ahead", "_timer", "broken", "filler", "half_closed")

    def __init__(self, *args: Any, patience: Patience, **kwargs: Any) -> None:  # noqa: ANN401 - as uvicorn gives them
        super().__init__(*args, **kwargs)
        self.app_state = {_CONNECTION: self}  # every request's `scope["state"]` is a copy of it
        self.broken: ServiceError | None = None
        self._patience = patience
        self._closing: LingeringTransport
        self._timer: asyncio.TimerHandle | None = None
        self._extra = False
        self._reads_ahead = False
        self.half_closed = False
        self.filler = b""

    @property
    def crowded(self) -> bool:
        """Whether it came beyond the limit, and there still are too many."""
        return self._extra and len(self.connections) > self._patience.max_connections

    @property
    def unread(self) -> bool:
        """Whether there is more of the request than has come, or than can be understood."""
        return self.broken is not None or self.conn.their_state is h11.SEND_BODY

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or close it at once."""
        self._closing = LingeringTransport(transport, self.loop)
        super().connection_made(self._closing)  # type: ignore[arg-type] # it stands for the transport
        self._closing.read_at_once(_FIRST_READ_BYTES)
        self._extra = len(self.connections) > self._patience.max_connections
        if len(self.connections) > self._patience.max_connections + _KEPT_FOR_PROBES:
            transport.abort()
        else:
            self._set_timer(self._patience.head_timeout_s, self._end_slow_head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        super().connection_lost(exc)
        self._unset_timer()
        self._closing.forget()
        self._unset_keepalive_if_required()  # which uvicorn leaves to itself after an error
        self.app_state, self.scope, self.cycle = {}, None, None  # type: ignore[assignment] # they lead back here

    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        if self._closing.lingers:
            self._closing.thrown(len(data))
            return
        if self._over:
            self.flow.pause_reading()
            return
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            data = data.lstrip(b"\r\n")  # some send empty lines between requests (RFC 9112, 2.2)
        if data:
            super().data_received(data)
            self._wait_for_rest()

    def eof_received(self) -> bool:  # type: ignore[override] # which asyncio takes, and uvicorn does not use
        """The caller sends no more; what was asked for is still answered."""
        if self._closing.lingers:
            return False
        self.half_closed = True
        if self.conn.their_state is h11.SEND_BODY and self.broken is None:
            self._break(InvalidRequest("The body ends too early."))
        elif not self._answering:
            self._end()
        self._ask_later()
        return self._answering

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the error knows more
        """The parser has given up: the caller is told by the application, which tells of everything else."""
        parsing = sys.exc_info()[1]
        assert isinstance(parsing, h11.RemoteProtocolError)  # noqa: S101 - which uvicorn has just caught
        error = heads.misread(parsing, self.conn.trailing_data[0], in_head=not self._answering)
        (self._break if self._answering else self._refuse)(error)

    def on_response_complete(self) -> None:
        """Go on with the next request, if there is one."""
        self._reads_ahead, self.filler = False, b""
        self._closing.read_at_once(_FIRST_READ_BYTES)
        if self.conn.their_state is h11.SEND_BODY:
            self.transport.close()  # whose answer did not wait for all of it, nor say so
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait_for_rest()

    def read_ahead(self) -> None:
        """Read the body in large pieces from now on; before, one piece waits here at most."""
        self._reads_ahead = True
        chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
        self._closing.read_at_once(_CHUNKED_READ_BYTES if chunked else _READ_BYTES)

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _over(self) -> bool:
        return self.broken is not None or self.conn.their_state in (h11.MUST_CLOSE, h11.CLOSED)

    def _wait_for_rest(self) -> None:
        """Of a body, whose next piece is read when it is asked for, or of a head, which has its time."""
        if self.conn.their_state is h11.SEND_BODY and not self._reads_ahead and self._answering:
            self.flow.pause_reading()
        if self._answering:
            self._ask_later()
        elif self.half_closed:
            self._end()
        elif not self.conn.trailing_data[0]:
            self._unset_timer()
        elif self._timer is None:
            self._set_timer(self._patience.head_timeout_s, self._end_slow_head)

    def _end(self) -> None:
        """There will be no more of the head of a request, if any of it has come."""
        if self.conn.trailing_data[0]:
            self._refuse(InvalidRequest("The head ends too early."))
        else:
            self.transport.close()

    def _end_slow_head(self) -> None:
        self._timer = None
        if self.conn.trailing_data[0]:
            self._refuse(DeadlineExceeded("The head of the request did not come in time."))
        else:
            self.transport.close()

    def _break(self, error: ServiceError) -> None:
        """The rest of a body cannot be read, and whoever waits for it learns that."""
        self.broken = error
        self.cycle.message_event.set()

    def _refuse(self, error: ServiceError) -> None:
        """Let the application answer to bytes that are no request."""
        self.broken = error
        self._unset_timer()
        self.headers = []
        self.scope = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": "http",
            "method": "",
            "root_path": self.root_path,
            "path": "",
            "raw_path": b"",
            "query_string": b"",
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            conn=self.conn,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            on_response=self.on_response_complete,
        )
        task = self.loop.create_task(self.cycle.run_asgi(self.app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _ask_later(self) -> None:
        self._unset_timer()
        if self.half_closed and self._answering:
            self._set_timer(_ASK_EVERY_S, self._ask)

    def _ask(self) -> None:
        """Find out whether a caller who sends no more has left: then the other side answers to this with a reset.

        Nothing but writing tells half a close from a whole one. An interim answer is skipped by callers of HTTP/1.1
        (RFC 9110, 15.2); in an answer that has begun it is the answer's own filler, if it has one.
        """
        told = None
        if self.conn.our_state is h11.SEND_RESPONSE and self.conn.their_http_version == b"1.1":
            told = self.conn.send(h11.InformationalResponse(status_code=100, headers=[]))
        elif self.conn.our_state is h11.SEND_BODY and self.filler and not self.flow.write_paused:
            told = self.conn.send(h11.Data(data=self.filler))
        if told:
            self.transport.write(told)
        self._ask_later()

    def _set_timer(self, delay_s: float, callback: Callable[[], None]) -> None:
        self._unset_timer()
        self._timer = self.loop.call_later(delay_s, callback)

    def _unset_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def connection_of(scope: Scope) -> Connection:
    """The connection that a request came on."""
    connection: Connection = scope["state"][_CONNECTION]
    return connection


def read_ahead(scope: Scope) -> None:
    """Read a request's body in large pieces from now on."""
    connection_of(scope).read_ahead()


def fill_with(scope: Scope, filler: bytes) -> None:
    """Know what means nothing in the answer that has begun, to ask with whether its reader is still there."""
    connection_of(scope).filler = filler
