"""What a long queue costs: looks at the kernel, steps counted, and time, all in proportion to the callers."""

import asyncio
import contextlib
import random
import time

import pytest
from servicekit.budget import MemoryBudget
from servicekit.errors import Overloaded

WAITERS = 256


class CountingPressure:
    """Memory that is tight as long as a test says so; counts how often somebody looked."""

    def __init__(self, *, tight: bool) -> None:
        self.is_tight = tight
        self.looks = 0
        self.steps: list[str] = []

    def tight(self) -> bool:
        self.looks += 1
        return self.is_tight

    def count(self, step: str) -> None:
        self.steps.append(step)


class Queue:
    """Callers of one budget that hold what they get until they are told to let go, in the order of admission."""

    def __init__(self, capacity_bytes: int, *, tight: bool) -> None:
        self.pressure = CountingPressure(tight=tight)
        self.budget = MemoryBudget(capacity_bytes, queue_limit=4096, pressure=self.pressure)
        self.admitted: list[tuple[int, asyncio.Event]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, cost_bytes: int) -> asyncio.Task[None]:
        number = len(self.tasks)
        task = asyncio.create_task(self._hold(number, cost_bytes))
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task

    async def _hold(self, number: int, cost_bytes: int) -> None:
        let_go = asyncio.Event()
        async with self.budget.reserve(cost_bytes):
            self.admitted.append((number, let_go))
            await let_go.wait()

    async def drain(self) -> None:
        """Let go of one after the other."""
        done = 0
        while done < len(self.admitted):
            self.admitted[done][1].set()
            done += 1
            for _ in range(4):
                await asyncio.sleep(0)
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert (self.budget.reserved_bytes, self.budget.waiting) == (0, 0)


async def test_under_pressure_each_caller_costs_a_look_when_it_comes_and_one_when_it_is_admitted():
    queue = Queue(1_000_000, tight=True)
    for _ in range(WAITERS + 1):
        await queue.come(100)
    assert queue.budget.waiting == WAITERS
    assert queue.pressure.looks <= WAITERS + 1
    await queue.drain()
    assert queue.pressure.looks <= 2 * (WAITERS + 1)
    assert [number for number, _ in queue.admitted] == list(range(WAITERS + 1))


async def test_a_step_is_counted_once_for_each_reservation_that_waits_for_it():
    queue = Queue(1_000_000, tight=True)
    for _ in range(WAITERS + 1):
        await queue.come(100)
    await queue.drain()
    assert queue.pressure.steps == ["one_at_a_time"] * WAITERS


async def test_who_waits_for_bytes_is_no_step():
    queue = Queue(100, tight=True)
    for _ in range(8):
        await queue.come(100)
    await queue.drain()
    assert queue.pressure.steps == []
    assert queue.pressure.looks == 0  # what does not fit needs no look


async def test_when_memory_is_no_longer_tight_the_next_return_admits_all_that_fit_with_one_look():
    queue = Queue(1_000_000, tight=True)
    for _ in range(9):
        await queue.come(100)
    queue.pressure.is_tight = False
    before = queue.pressure.looks
    queue.admitted[0][1].set()
    for _ in range(4):
        await asyncio.sleep(0)
    assert len(queue.admitted) == 9
    assert queue.pressure.looks == before + 1
    await queue.drain()


async def test_callers_who_leave_in_any_order_cost_no_more_than_a_look_each():
    queue = Queue(1_000_000, tight=True)
    for _ in range(WAITERS + 1):
        await queue.come(100)
    before = queue.pressure.looks
    leaving = random.Random(7).sample(queue.tasks[1:], WAITERS // 2)
    for task in leaving:
        task.cancel()
    await asyncio.gather(*leaving, return_exceptions=True)
    assert queue.budget.waiting == WAITERS - len(leaving)
    assert queue.pressure.looks - before <= len(leaving)
    await queue.drain()
    assert len(queue.admitted) == WAITERS + 1 - len(leaving)
    assert len(queue.pressure.steps) <= WAITERS


async def test_the_caller_who_leaves_from_the_front_lets_those_behind_it_pass_at_once():
    queue = Queue(100, tight=False)
    await queue.come(60)
    large = await queue.come(100)
    for _ in range(8):
        await queue.come(41)  # none fits beside 60
    large.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await large
    await queue.come(40)
    assert [number for number, _ in queue.admitted] == [0, 10]
    await queue.drain()


async def test_each_is_passed_by_as_many_as_agreed_and_then_by_nobody():
    queue = Queue(100, tight=False)
    await queue.come(50)
    await queue.come(100)
    await queue.come(90)
    for _ in range(20):
        await queue.come(10)
        queue.admitted[-1][1].set()
        await asyncio.sleep(0)
    assert [number for number, _ in queue.admitted] == [0, *range(3, 11)]  # eight of the small ones
    await queue.drain()
    assert [number for number, _ in queue.admitted][9:11] == [1, 2]


async def test_a_full_queue_refuses_without_a_look():
    pressure = CountingPressure(tight=True)
    budget = MemoryBudget(1000, queue_limit=0, pressure=pressure)
    async with budget.reserve(10):
        with pytest.raises(Overloaded) as refused:
            async with budget.reserve(10):
                pass
        assert refused.value.details["waiting"] == "0"
        assert budget.waiting == 0
    async with budget.reserve(10):
        pass


@pytest.mark.parametrize("mixed", [False, True])
async def test_ten_times_the_callers_take_about_ten_times_as_long(mixed):
    """Quadratic work would take a hundred times as long; small ones between large ones look for each other's gaps."""
    small = min([await _seconds(300, mixed=mixed) for _ in range(3)])
    large = min([await _seconds(3000, mixed=mixed) for _ in range(2)])
    assert large < 30 * small


async def _seconds(count: int, *, mixed: bool) -> float:
    budget = MemoryBudget(1000, queue_limit=count)

    async def hold(cost_bytes: int) -> None:
        async with budget.reserve(cost_bytes):
            await asyncio.sleep(0)

    costs = [(900, 150, 990, 60)[number % 4] if mixed else 1000 for number in range(count)]
    tasks = [asyncio.create_task(hold(cost)) for cost in costs]
    start_s = time.perf_counter()
    await asyncio.gather(*tasks)
    return time.perf_counter() - start_s
