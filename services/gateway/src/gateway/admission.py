"""How much the gateway takes on at once, so that its memory has a bound.

Photos and the detector's answers have a room each, and an analysis takes them in this order. Who holds room for an
answer never waits for a photo's, so every photo that was admitted can be answered.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from servicekit.budget import MemoryBudget, Reservation
from servicekit.errors import Overloaded

COPIES = 2
"""How often an uploaded photo is in memory at most: as it arrived and as the request to the detector, or as that and in
gRPC, which keeps what it sends until the detector answers, to repeat it."""
CROP_BYTES = 96 * 96 * 3
"""The most that a hold's pixels take."""
OUTLINE_BYTES = 15_000
"""What else of a hold is kept: its mask of at most 96 by 96 bits twice, and some 60 points as Python's floats, as a
message and as JSON."""
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
        """Hold memory for a photo; wait for room, if need be.

        Raises:
            ImageTooLarge: All the room would not be enough.
            Overloaded: Other photos left no room for `max_wait_s`.
        """
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(max_wait_s):
                    reservation = await held.enter_async_context(self._room.reserve(size_bytes))
            except TimeoutError:
                raise self._overloaded("Other photos leave no room for this one.") from None
            yield reservation

    def _overloaded(self, message: str) -> Overloaded:
        figures = {"in_flight": self.in_flight, "limit": self._max_in_flight, "held_bytes": self.held_bytes}
        details = {name: str(value) for name, value in figures.items()}
        return Overloaded(message, retry_after_s=_RETRY_AFTER_S, details=details)


def answer_bytes(holds: int) -> int:
    """The most that an answer of the detector takes: every crop as message and as `Crop`, or as that and in a chunk."""
    return holds * (2 * CROP_BYTES + OUTLINE_BYTES)
