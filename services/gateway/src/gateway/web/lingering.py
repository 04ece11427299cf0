"""Closes a connection in two steps (RFC 9112, 9.6), because one that is closed with bytes unread is reset.

A reset takes the answer away from callers who look for it only after they have sent all.
"""

import asyncio
import contextlib
from typing import Any

_LEAST_S, _MOST_S = 0.5, 2.0
_MOST_BYTES = 32 * 1024 * 1024  # more than the largest photo
_BYTES_PER_S = 1_000_000  # who sends faster gets more than the least time


class LingeringTransport:
    """A transport whose `close` ends what is written at once, and what is read a little later.

    Attributes:
        lingers: Whether it is between the two; whatever comes is to be thrown away, and told to `thrown`.
    """

    __slots__ = ("_begun_s", "_loop", "_thrown_bytes", "_timer", "_transport", "lingers")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._begun_s = 0.0
        self._thrown_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self.lingers = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the transport's
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self.lingers or self._transport.is_closing()

    def close(self) -> None:
        """Say that no more will come, and close when the caller has closed or has had its time."""
        if self.is_closing():
            return
        self.lingers = True
        self._begun_s = self._loop.time()
        self._timer = self._loop.call_later(_LEAST_S, self._end)
        with contextlib.suppress(OSError):  # a caller who has reset it
            self._transport.write_eof()
        self._transport.resume_reading()

    def read_at_once(self, size_bytes: int) -> None:
        """Take no more than that from the socket with one call; asyncio's own bound is 256 KiB."""
        self._transport.max_size = size_bytes  # type: ignore[attr-defined] # of its selector transport

    def thrown(self, size_bytes: int) -> None:
        """Know that so much has come that nobody reads."""
        self._thrown_bytes += size_bytes
        if self._thrown_bytes > _MOST_BYTES:
            self._transport.close()

    def forget(self) -> None:
        """The connection is lost."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        earned_s = min(_LEAST_S + self._thrown_bytes / _BYTES_PER_S, _MOST_S)
        left_s = self._begun_s + earned_s - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._end)
        else:
            self._transport.close()
