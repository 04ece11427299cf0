"""Runs the HTTP face on uvicorn inside the service's own life: its signals, its drain."""

import asyncio
import contextlib
import functools
import math
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import uvicorn
from servicekit.server import StartError
from starlette.types import ASGIApp

from gateway.web.connections import Connection, Patience
from gateway.web.heads import MAX_HEAD_BYTES

_BACKLOG = 1024
_KEEP_ALIVE_S = 75
_UNREAD_MS = 60_000  # for a caller who takes nothing of an answer, or is gone without a word
_UNIX = "unix:"


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the service."""
        yield


def bind(listen: str) -> socket.socket:
    """Open a listening socket at `host:port` or `unix:/path`.

    Raises:
        StartError: The address is taken or not ours.
    """
    try:
        return _bind_unix(Path(listen.removeprefix(_UNIX))) if listen.startswith(_UNIX) else _bind_tcp(listen)
    except OSError as error:
        raise StartError(f"cannot listen on {listen}: {error.strerror}") from None


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp,
    listener: socket.socket,
    *,
    stop: asyncio.Event,
    patience: Patience,
    drain_wait_s: float,
    drain_limit_s: float,
) -> AsyncIterator[None]:
    """Serve while what is inside runs.

    From `drain_wait_s` after `stop` no new connections are accepted; at the end the requests in flight may take
    `drain_limit_s` more. A server that fails sets `stop` and raises at the end.
    """
    config = uvicorn.Config(
        app,
        http=functools.partial(Connection, patience=patience),  # type: ignore[arg-type] # uvicorn only calls it
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        log_level="critical",  # our own log tells of every request, and of every bug with its trace
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing depends on where a request came from
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(drain_limit_s),
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    running.add_done_callback(lambda _: stop.set())
    closing = asyncio.create_task(_close_after(stop, drain_wait_s, server))
    try:
        yield
    finally:
        closing.cancel()
        server.should_exit = True
        await running


async def _close_after(stop: asyncio.Event, drain_wait_s: float, server: _Server) -> None:
    await stop.wait()
    await asyncio.sleep(drain_wait_s)
    server.should_exit = True


def _bind_tcp(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=_BACKLOG)
    # Connections inherit both. Without the first a small answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
    return listener


def _bind_unix(path: Path) -> socket.socket:
    if path.is_socket():
        path.unlink()  # left by a process that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(_BACKLOG)
    return listener
