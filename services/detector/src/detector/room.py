"""Room in memory for a photo: at the network's usual size, or, where the operator allows it, at a smaller one."""

import contextlib
from collections.abc import AsyncIterator

from servicekit.budget import MemoryBudget
from servicekit.deadlines import remaining_s, within
from servicekit.errors import DeadlineExceeded, ImageTooLarge, Overloaded
from servicekit.pressure import Pressure
from visionkit.header import PhotoHeader

from detector.finder import HoldFinder, Query

_PATIENCE = 0.5  # share of the time left that a photo waits for the usual size before it takes the smaller one


class Room:
    """Reserves what a photo will take; the smaller size only where the usual one would be refused or be too late."""

    def __init__(self, budget: MemoryBudget, finder: HoldFinder, pressure: Pressure | None = None) -> None:
        self._budget = budget
        self._finder = finder
        self._pressure = pressure

    @contextlib.asynccontextmanager
    async def reserved(self, query: Query, header: PhotoHeader) -> AsyncIterator[int]:
        """Hold room while the body runs; gives the side in pixels at which to look at the photo.

        Raises:
            ImageTooLarge: The whole budget would not be enough.
            Overloaded: Others left no room in time.
        """
        usual_px, *smaller_px = self._finder.sides_px
        if not smaller_px:
            async with self._budget.reserve(self._finder.cost_bytes(query, header, usual_px)):
                yield usual_px
            return
        async with contextlib.AsyncExitStack() as held:
            try:
                await self._enter(held, query, header, usual_px)
                side_px = usual_px
            except (DeadlineExceeded, ImageTooLarge, Overloaded):
                side_px = smaller_px[0]
                await held.enter_async_context(self._budget.reserve(self._finder.cost_bytes(query, header, side_px)))
                self._count()
            yield side_px

    async def _enter(self, held: contextlib.AsyncExitStack, query: Query, header: PhotoHeader, side_px: int) -> None:
        if self._pressure is not None and self._pressure.critical():
            raise Overloaded("Memory is short.", retry_after_s=1.0)
        left_s = remaining_s()
        reservation = self._budget.reserve(self._finder.cost_bytes(query, header, side_px))
        if left_s is None:
            await held.enter_async_context(reservation)
            return
        async with within(_PATIENCE * left_s):
            await held.enter_async_context(reservation)

    def _count(self) -> None:
        if self._pressure is not None:
            self._pressure.count("smaller_size")
