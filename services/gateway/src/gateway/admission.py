"""How much the gateway takes on at once, so that its memory has a bound.

Photos and the detector's answers have a room each, and an analysis takes them in this order. Who holds room for an
answer never waits for a photo's to arrive, so every photo that was admitted can be answered.

A photo that comes over HTTP is in memory once: as it arrived, then in gRPC, which keeps what it has sent until the
detector answers, to repeat it. While it is copied from the one to the other, and until the detector has read it, it is
in memory twice. What comes over gRPC has reserved all its copies before it is read.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from servicekit.budget import MemoryBudget, Reservation
from servicekit.errors import Overloaded
from servicekit.limits import MAX_PHOTO_BYTES

MAX_UPLOAD_BYTES = MAX_PHOTO_BYTES + 64 * 1024
"""A photo and what a form adds to it."""
_PHOTOS_SHARE = 5
"""Photos over HTTP have this part of the room, or what the largest needs. Their second copies have half as much, and a
photo that is larger than that goes alone."""
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
        photos_bytes = min(room.capacity_bytes // 2, max(room.capacity_bytes // _PHOTOS_SHARE, MAX_UPLOAD_BYTES))
        self._photos = MemoryBudget(photos_bytes, queue_limit=max_in_flight)
        self._copies = MemoryBudget(photos_bytes // 2, queue_limit=max_in_flight)
        self._max_in_flight = max_in_flight
        self.in_flight = 0

    @property
    def held_bytes(self) -> int:
        """Memory reserved for photos that arrive or are analyzed now."""
        return self._room.reserved_bytes

    @property
    def crowded(self) -> bool:
        """Whether somebody waits for room."""
        return self._photos.waiting > 0 or self._room.waiting > 0

    @contextlib.contextmanager
    def count(self) -> Iterator[None]:
        """Count what runs inside as one analysis in flight.

        Every caller counts once: a request from its arrival until it is answered, however many photos it brings and
        whoever else asks the same, and a job that was asked for to be kept until it ends. Who follows a job by its id
        is part of that caller.

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
    async def hold(self, size_bytes: int, *, max_wait_s: float) -> AsyncIterator["Held"]:
        """Hold memory for a photo; wait for room, if need be.

        Raises:
            ImageTooLarge: All the room would not be enough.
            Overloaded: Other photos left no room for `max_wait_s`.
        """
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(max_wait_s):
                    photo = await held.enter_async_context(self._photos.reserve(size_bytes))
                    room = await held.enter_async_context(self._room.reserve(size_bytes))
            except TimeoutError:
                raise self._overloaded("Other photos leave no room for this one.") from None
            yield Held(photo, room)

    @contextlib.asynccontextmanager
    async def send(self, size_bytes: int) -> AsyncIterator[None]:
        """Hold memory for the second copy of a photo while it is sent on.

        Raises:
            Overloaded: Other photos left no room until the deadline.
        """
        shared_bytes = min(size_bytes, self._copies.capacity_bytes)
        async with self._copies.reserve(shared_bytes), self._room.reserve(size_bytes):
            yield

    def _overloaded(self, message: str) -> Overloaded:
        figures = {"in_flight": self.in_flight, "limit": self._max_in_flight, "held_bytes": self.held_bytes}
        details = {name: str(value) for name, value in figures.items()}
        return Overloaded(message, retry_after_s=_RETRY_AFTER_S, details=details)


class Held:
    """Memory that is held for a photo."""

    def __init__(self, *reservations: Reservation) -> None:
        self._reservations = reservations

    def shrink_to(self, needed_bytes: int) -> None:
        """Give back what turned out not to be needed."""
        for reservation in self._reservations:
            reservation.shrink_to(needed_bytes)


def answer_bytes(holds: int) -> int:
    """The most that an answer of the detector takes: every crop as message and as `Crop`, or as that and in a chunk."""
    return holds * (2 * CROP_BYTES + OUTLINE_BYTES)
