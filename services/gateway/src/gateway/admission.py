"""How much the gateway takes on at once, so that its memory has a bound."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from servicekit.budget import MemoryBudget, Reservation
from servicekit.errors import Overloaded

COPIES = 2
"""How often a photo is in memory at most: as it arrived and as the request to the detector, or as that and in gRPC."""
_RETRY_AFTER_S = 1.0


class Admission:
    """Admits analyses: at most `max_in_flight` at once, with as many photos in memory as there is `room` for.

    The count refuses at once, because a longer line helps nobody. The bytes make an upload wait unread, which its
    sender feels as a slow network.
    """

    def __init__(self, room: MemoryBudget, *, max_in_flight: int) -> None:
        self._room = room
        self._max_in_flight = max_in_flight
        self.in_flight = 0

    @property
    def held_bytes(self) -> int:
        """Memory reserved for photos that arrive or are analyzed now."""
        return self._room.reserved_bytes

    @contextlib.contextmanager
    def count(self) -> Iterator[None]:
        """Count what runs inside as one analysis in flight.

        Raises:
            Overloaded: As many as allowed are in flight.
        """
        if self.in_flight >= self._max_in_flight:
            raise self._overloaded("Too many analyses are in flight.")
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    @contextlib.asynccontextmanager
    async def hold(self, size_bytes: int, *, max_wait_s: float) -> AsyncIterator[Reservation]:
        """Hold memory for a photo; wait for room, if need be. A photo that needs more than there is waits for it all.

        Raises:
            Overloaded: Other photos left no room for `max_wait_s`.
        """
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(max_wait_s):
                    room = self._room.reserve(min(size_bytes, self._room.capacity_bytes))
                    reservation = await held.enter_async_context(room)
            except TimeoutError:
                raise self._overloaded("Other photos leave no room for this one.") from None
            yield reservation

    def _overloaded(self, message: str) -> Overloaded:
        figures = {"in_flight": self.in_flight, "limit": self._max_in_flight, "held_bytes": self.held_bytes}
        details = {name: str(value) for name, value in figures.items()}
        return Overloaded(message, retry_after_s=_RETRY_AFTER_S, details=details)
