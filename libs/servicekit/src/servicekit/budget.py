"""A byte budget: work is admitted only when the memory that it will take is there.

An out-of-memory kill loses every request in the pod; a refusal loses one and says when to retry. The budget is what the
limit leaves above the floor that was measured after warm-up, less a reserve for what no prediction covers. While memory
is tight all the same, one reservation is held at a time.
"""

import asyncio
import bisect
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from servicekit.deadlines import remaining_s
from servicekit.errors import ImageTooLarge, Overloaded
from servicekit.memory import MB
from servicekit.pressure import Pressure

_UNLIMITED = 1 << 60
_FIRST_GUESS_S = 0.25  # how long a reservation is held until one was measured
_MEMORY_OF_THE_PAST = 0.8  # weight of earlier reservations in the running mean
_ANSWER_S = 0.05  # kept back from the deadline, so that a refusal still reaches its caller


class Reservation:
    """A part of the budget that is held now."""

    def __init__(self, budget: "MemoryBudget", held_bytes: int) -> None:
        self._budget = budget
        self.held_bytes = held_bytes

    def shrink_to(self, needed_bytes: int) -> None:
        """Give back what turned out not to be needed; a reservation never grows, for that could deadlock."""
        spare_bytes = max(0, self.held_bytes - needed_bytes)
        self.held_bytes -= spare_bytes
        self._budget.give_back(spare_bytes)


@dataclass(slots=True, eq=False)
class _Waiter:
    """A caller in the queue; `counted` once it was one that waits only because memory is tight."""

    cost_bytes: int
    admitted: asyncio.Future[None]
    overtaken: int = 0
    counted: bool = False


class MemoryBudget:
    """Reservations of memory, first come first served; a small one may pass a large one that waits, a few times.

    All methods belong to the event loop. Taking a reservation that fits does not await, so a burst cannot slip through.
    The work for n callers is in proportion to n, however long the queue: a round of admissions looks at the kernel once
    at most, and passes only callers who are overtaken by it, which each is a few times only.
    """

    def __init__(
        self, capacity_bytes: int, *, queue_limit: int, max_overtakes: int = 8, pressure: Pressure | None = None
    ) -> None:
        """Set the bounds.

        Args:
            capacity_bytes: What may be reserved at once; 0 for no bound.
            queue_limit: How many callers may wait.
            max_overtakes: How often a waiting reservation may be passed by smaller ones behind it.
            pressure: Tells whether memory is tight; None for never.
        """
        self.capacity_bytes = capacity_bytes or _UNLIMITED
        self._queue_limit = queue_limit
        self._max_overtakes = max_overtakes
        self._pressure = pressure
        self._waiters: OrderedDict[_Waiter, None] = OrderedDict()  # in the order of arrival
        self._costs: list[int] = []  # of all who wait, the smallest first
        self._mean_s = _FIRST_GUESS_S
        self.reserved_bytes = 0

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return len(self._waiters)

    @contextlib.asynccontextmanager
    async def reserve(self, cost_bytes: int) -> AsyncIterator[Reservation]:
        """Hold `cost_bytes` of the budget while the body runs; wait for them, if need be, until the deadline is near.

        Raises:
            ImageTooLarge: The whole budget would not be enough.
            Overloaded: The queue is full, or the wait would outlast the deadline.
        """
        if cost_bytes > self.capacity_bytes:
            raise ImageTooLarge(
                "The request needs more memory than this replica can ever give.", details=self._figures(cost_bytes)
            )
        await self._take(cost_bytes)
        reservation = Reservation(self, cost_bytes)
        start_s = asyncio.get_running_loop().time()
        try:
            yield reservation
        finally:
            held_s = asyncio.get_running_loop().time() - start_s
            self._mean_s = _MEMORY_OF_THE_PAST * self._mean_s + (1 - _MEMORY_OF_THE_PAST) * held_s
            reservation.shrink_to(0)

    def give_back(self, spare_bytes: int) -> None:
        """Free a part of what is reserved and admit who waits for it."""
        if spare_bytes:
            self.reserved_bytes -= spare_bytes
            self._admit()

    async def _take(self, cost_bytes: int) -> None:
        """Add to what is reserved, at once or after a wait."""
        if self._waiters and len(self._waiters) >= self._queue_limit:
            raise self._overloaded(cost_bytes)
        waiter = _Waiter(cost_bytes, asyncio.get_running_loop().create_future())
        self._waiters[waiter] = None
        bisect.insort(self._costs, cost_bytes)
        self._admit()
        if waiter.admitted.done():
            return
        if len(self._waiters) > self._queue_limit:
            self._remove(waiter)
            raise self._overloaded(cost_bytes)
        await self._wait(waiter)

    async def _wait(self, waiter: _Waiter) -> None:
        left_s = remaining_s()
        try:
            async with asyncio.timeout(None if left_s is None else max(0.0, left_s - _ANSWER_S)):
                await waiter.admitted
        except TimeoutError:
            self._give_up(waiter)
            raise self._overloaded(waiter.cost_bytes) from None
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        if waiter.admitted.done() and not waiter.admitted.cancelled():
            self.give_back(waiter.cost_bytes)  # admitted in the moment its caller left
        elif waiter in self._waiters:
            self._remove(waiter)
            self._admit()

    def _admit(self) -> None:
        """Admit who fits, in order; while memory is tight, nobody beside others, whose return will admit the next."""
        tight: bool | None = None
        while self._costs and self._costs[0] <= self.capacity_bytes - self.reserved_bytes:
            if self.reserved_bytes and self._pressure is not None:
                tight = self._pressure.tight() if tight is None else tight
                if tight:
                    self._count_step(next(iter(self._waiters)))
                    return
            waiter = self._next()
            if waiter is None:
                return
            self._remove(waiter)
            self.reserved_bytes += waiter.cost_bytes
            waiter.admitted.set_result(None)

    def _next(self) -> _Waiter | None:
        """The first who fits; nobody behind one who was overtaken often enough, who is the longest in the queue."""
        free_bytes = self.capacity_bytes - self.reserved_bytes
        passed: list[_Waiter] = []
        left: list[_Waiter] = []
        found: _Waiter | None = None
        for waiter in self._waiters:
            if waiter.admitted.done():  # its caller has just left
                left.append(waiter)
            elif waiter.cost_bytes <= free_bytes:
                found = waiter
                break
            elif waiter.overtaken >= self._max_overtakes:
                break
            else:
                passed.append(waiter)
        for waiter in left:
            self._remove(waiter)
        if found is not None:
            for waiter in passed:
                waiter.overtaken += 1
        return found

    def _remove(self, waiter: _Waiter) -> None:
        del self._waiters[waiter]
        del self._costs[bisect.bisect_left(self._costs, waiter.cost_bytes)]

    def _count_step(self, first: _Waiter) -> None:
        """Count the first in the queue, once, where nothing but tight memory keeps it there."""
        fits = first.cost_bytes <= self.capacity_bytes - self.reserved_bytes
        if self._pressure is not None and fits and not first.counted:
            first.counted = True
            self._pressure.count("one_at_a_time")

    def _overloaded(self, cost_bytes: int) -> Overloaded:
        return Overloaded(
            "There is no memory for this request now.",
            retry_after_s=self._mean_s * (len(self._waiters) + 1),
            details=self._figures(cost_bytes),
        )

    def _figures(self, cost_bytes: int) -> dict[str, str]:
        return {
            "needed_mb": f"{cost_bytes / MB:.1f}",
            "reserved_mb": f"{self.reserved_bytes / MB:.1f}",
            "budget_mb": f"{self.capacity_bytes / MB:.1f}",
            "waiting": str(len(self._waiters)),
        }
