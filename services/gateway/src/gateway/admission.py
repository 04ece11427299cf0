"""How much the gateway takes on at once, so that its memory has a bound."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from servicekit.errors import Overloaded

_RETRY_AFTER_S = 1.0
_MAX_WAIT_S = 10.0


class Admission:
    """Admits requests: at most `max_in_flight` at once, and photos of at most `max_bytes` in memory at once.

    The count refuses at once, because a longer line helps nobody. The bytes make an upload wait unread, in order of
    arrival, which its sender feels as a slow network.
    """

    def __init__(self, *, max_in_flight: int, max_bytes: int) -> None:
        self._max_in_flight = max_in_flight
        self._max_bytes = max_bytes
        self._head_of_line = asyncio.Lock()
        self._freed = asyncio.Event()
        self.in_flight = 0
        self.held_bytes = 0

    @contextlib.asynccontextmanager
    async def admit(self, photo_bytes: int) -> AsyncIterator[None]:
        """Work inside on a request whose photo has at most `photo_bytes`.

        Raises:
            Overloaded: As many requests as allowed are in flight, or their photos left no room for too long.
        """
        if self.in_flight >= self._max_in_flight:
            raise self._overloaded("Too many analyses are in flight.")
        self.in_flight += 1
        try:
            async with self._hold(min(photo_bytes, self._max_bytes)):
                yield
        finally:
            self.in_flight -= 1

    @contextlib.asynccontextmanager
    async def _hold(self, size_bytes: int) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_MAX_WAIT_S), self._head_of_line:
                while self.held_bytes + size_bytes > self._max_bytes:
                    self._freed.clear()
                    await self._freed.wait()
                self.held_bytes += size_bytes
        except TimeoutError:
            raise self._overloaded("Other photos leave no room for this one.") from None
        try:
            yield
        finally:
            self.held_bytes -= size_bytes
            self._freed.set()

    def _overloaded(self, message: str) -> Overloaded:
        figures = {"in_flight": self.in_flight, "limit": self._max_in_flight, "held_bytes": self.held_bytes}
        details = {name: str(value) for name, value in figures.items()}
        return Overloaded(message, retry_after_s=_RETRY_AFTER_S, details=details)
