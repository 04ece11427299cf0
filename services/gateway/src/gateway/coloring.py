"""Scatters the crops of a photo over the colorizer's replicas, in chunks, and gathers the colors as they land."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from servicekit.errors import InvalidParameter, Overloaded, ServiceError

from gateway.deadline import Deadline
from gateway.domain import Coloring, Crop, Looks
from gateway.upstream import Colorizer

_log = logging.getLogger("coloring")
_TURNS_TO_SEND = 4  # of the event loop, until gRPC has written a call: one for each task that it goes through


@dataclass(frozen=True, slots=True)
class Chunk:
    """The end of one chunk of `size` holds; without `coloring` its holds stay without colors."""

    size: int
    coloring: Coloring | None


class Scatter:
    """Colors crops in chunks; at most `calls` chunks are under way at once, over all photos."""

    def __init__(self, colorizer: Colorizer, *, chunk_holds: int, calls: int) -> None:
        self._colorizer = colorizer
        self._chunk_holds = chunk_holds
        self._free = asyncio.Semaphore(calls)

    @contextlib.asynccontextmanager
    async def coloring(
        self, crops: list[Crop], deadline: Deadline, looks: Looks
    ) -> AsyncGenerator[AsyncIterator[Chunk], None]:
        """Color all crops of one photo; takes them, so that each is let go with its chunk.

        The first calls are on their way when what is inside begins, and what is still under way at its end is stopped.

        Yields:
            Every chunk when it ends, and none later than the deadline's reserve; an InvalidParameter where the
            colorizer cannot use the caller's palette. No crops give no chunks.
        """
        parts = _taken(crops, self._chunk_holds)
        tasks = [asyncio.create_task(self._outcome(part, deadline, looks)) for part in parts]
        try:
            for _ in range(_TURNS_TO_SEND):
                await asyncio.sleep(0)
            yield _landing(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _outcome(self, crops: Sequence[Crop], deadline: Deadline, looks: Looks) -> Chunk:
        """One failing chunk costs its own colors and nobody else's; but a bad palette is the caller's mistake."""
        try:
            async with asyncio.timeout(deadline.work_s()):
                return Chunk(len(crops), await self._patiently(crops, deadline, looks))
        except TimeoutError:
            reason = "DEADLINE_EXCEEDED"
        except ServiceError as error:
            if looks.palette and isinstance(error, InvalidParameter):
                raise
            reason = error.reason
        _log.warning("colors missing", extra={"fields": {"reason": reason, "holds": len(crops)}})
        return Chunk(len(crops), None)

    async def _patiently(self, crops: Sequence[Crop], deadline: Deadline, looks: Looks) -> Coloring:
        """Ask once more when the colorizer is full and says that it will not be for long; others go on meanwhile."""
        try:
            return await self._call(crops, deadline, looks)
        except Overloaded as error:
            pause_s = error.retry_after_s
            if pause_s >= deadline.work_s():
                raise
        await asyncio.sleep(pause_s)
        return await self._call(crops, deadline, looks)

    async def _call(self, crops: Sequence[Crop], deadline: Deadline, looks: Looks) -> Coloring:
        async with self._free:
            return await self._colorizer.color(crops, looks, timeout_s=deadline.work_s())


async def _landing(tasks: Sequence[asyncio.Task[Chunk]]) -> AsyncIterator[Chunk]:
    for landed in asyncio.as_completed(tasks):
        yield await landed


def _taken(crops: list[Crop], size: int) -> Iterator[list[Crop]]:
    """Take the crops out of their list, `size` at a time."""
    while crops:
        chunk = crops[:size]
        del crops[:size]
        yield chunk
