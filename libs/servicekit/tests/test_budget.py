import asyncio
import contextlib

import pytest
from servicekit.budget import MemoryBudget
from servicekit.deadlines import within
from servicekit.errors import ImageTooLarge, Overloaded
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.pressure import Pressure


class Holder:
    """Holds one reservation in a task until it is told to let go."""

    def __init__(self, budget: MemoryBudget, cost_bytes: int) -> None:
        self.held = asyncio.Event()
        self.let_go = asyncio.Event()
        self.task = asyncio.create_task(self._hold(budget, cost_bytes))

    async def _hold(self, budget, cost_bytes):
        async with budget.reserve(cost_bytes):
            self.held.set()
            await self.let_go.wait()

    async def end(self) -> None:
        self.let_go.set()
        await self.task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_nothing_reserved_leaves_nothing_behind():
    budget = MemoryBudget(100, queue_limit=1)
    async with budget.reserve(0):
        assert budget.reserved_bytes == 0
    assert (budget.reserved_bytes, budget.waiting) == (0, 0)


async def test_what_can_never_fit_is_too_large_and_says_its_figures():
    with pytest.raises(ImageTooLarge) as caught:
        async with MemoryBudget(100_000_000, queue_limit=1).reserve(200_000_000):
            pass
    assert caught.value.details["needed_mb"] == "200.0"
    assert caught.value.details["budget_mb"] == "100.0"


async def test_without_a_limit_everything_is_admitted():
    budget = MemoryBudget(0, queue_limit=0)
    async with budget.reserve(1 << 50):
        pass


async def test_a_burst_never_reserves_more_than_the_budget():
    budget, peak = MemoryBudget(100, queue_limit=100), 0

    async def work():
        nonlocal peak
        async with budget.reserve(30):
            peak = max(peak, budget.reserved_bytes)
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(50)))
    assert peak == 90
    assert budget.reserved_bytes == 0


async def test_a_full_queue_refuses_with_a_retry_time():
    budget = MemoryBudget(10, queue_limit=0)
    holder = Holder(budget, 10)
    await holder.held.wait()
    with pytest.raises(Overloaded) as caught:
        async with budget.reserve(10):
            pass
    assert caught.value.retry_after_s > 0
    await holder.end()
    async with budget.reserve(10):
        pass


async def test_waiting_ends_before_the_deadline_with_overloaded_and_leaves_no_trace():
    budget = MemoryBudget(10, queue_limit=1)
    holder = Holder(budget, 10)
    await holder.held.wait()
    with pytest.raises(Overloaded):
        async with within(0.2), budget.reserve(10):
            pass
    assert (budget.reserved_bytes, budget.waiting) == (10, 0)
    await holder.end()


async def test_a_failure_while_holding_releases_the_reservation():
    budget = MemoryBudget(10, queue_limit=0)
    with pytest.raises(ValueError, match="mine"):
        async with budget.reserve(10):
            raise ValueError("mine")
    assert budget.reserved_bytes == 0


@pytest.mark.parametrize("turns", range(4))
async def test_a_caller_who_leaves_while_waiting_or_just_admitted_leaks_nothing(turns):
    budget = MemoryBudget(10, queue_limit=2)
    first, leaver, third = Holder(budget, 10), Holder(budget, 10), Holder(budget, 10)
    await first.held.wait()
    first.let_go.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    leaver.task.cancel()
    await asyncio.wait_for(third.held.wait(), 1)
    assert budget.reserved_bytes == 10
    with contextlib.suppress(asyncio.CancelledError):
        await leaver.task
    await third.end()
    await first.task
    assert (budget.reserved_bytes, budget.waiting) == (0, 0)


async def test_a_small_request_passes_a_large_one_that_waits_but_not_for_ever():
    budget = MemoryBudget(10, queue_limit=10, max_overtakes=2)
    holder = Holder(budget, 5)
    await holder.held.wait()
    large = Holder(budget, 10)
    await settle()
    for _ in range(2):
        small = Holder(budget, 5)
        await asyncio.wait_for(small.held.wait(), 1)
        await small.end()
    last = Holder(budget, 5)
    await settle()
    assert not last.held.is_set()
    await holder.end()
    await asyncio.wait_for(large.held.wait(), 1)
    await large.end()
    await last.end()
    assert budget.reserved_bytes == 0


async def test_while_memory_is_tight_one_reservation_is_held_at_a_time():
    meter, steps = MemoryMeter(MemoryLimit(100, None)), []
    meter.pinned_bytes = lambda: 85
    budget = MemoryBudget(100, queue_limit=2, pressure=Pressure(meter, steps.append))
    async with budget.reserve(10):
        second = asyncio.create_task(_hold(budget, 10))
        await asyncio.sleep(0.01)
        assert budget.waiting == 1
    await asyncio.wait_for(second, 1)
    assert "one_at_a_time" in steps
    meter.pinned_bytes = lambda: 50
    async with budget.reserve(10), budget.reserve(10):
        assert budget.reserved_bytes == 20


async def _hold(budget, cost_bytes):
    async with budget.reserve(cost_bytes):
        pass
