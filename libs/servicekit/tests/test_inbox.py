import asyncio
import contextlib
import gc

import grpc
import pytest
from climbmate.detector.v1 import detector_pb2
from servicekit import heap
from servicekit.errors import Overloaded
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.rich_status import from_rpc_error

MAX_REQUEST_BYTES = 1_000_000  # as the served toy accepts


class Gate:
    """A servicer that holds every call until it is opened, and counts what it has been given."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.received = 0

    async def __call__(self, request, context):
        self.received += 1
        await self.open.wait()
        return detector_pb2.DetectHoldsResponse()


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_messages_beyond_the_inbox_stay_unread_until_there_is_room(start, target, call):
    gate = Gate()
    async with start(gate, target, inbox_bytes=4 * MAX_REQUEST_BYTES) as served:
        photo = b"x" * 900_000
        calls = [asyncio.create_task(call(target, photo=photo)) for _ in range(5)]
        await until(lambda: served.interceptor.in_flight == 5)
        await until(lambda: gate.received == 2)
        await asyncio.sleep(0.1)
        assert gate.received == 2
        gate.open.set()
        await asyncio.gather(*calls)
        assert gate.received == 5


async def test_small_messages_share_the_inbox(start, target, call):
    gate = Gate()
    async with start(gate, target, inbox_bytes=4 * MAX_REQUEST_BYTES):
        calls = [asyncio.create_task(call(target, photo=b"small")) for _ in range(8)]
        await until(lambda: gate.received == 8)
        gate.open.set()
        await asyncio.gather(*calls)


async def test_a_call_that_cannot_be_read_before_its_deadline_is_refused_as_overloaded(start, target, call):
    gate = Gate()
    async with start(gate, target, inbox_bytes=MAX_REQUEST_BYTES, deadline_s=1) as served:
        holder = asyncio.create_task(call(target, photo=b"x" * 900_000))
        await until(lambda: gate.received == 1)
        late = asyncio.create_task(call(target, photo=b"y"))
        await until(lambda: served.interceptor.in_flight == 2)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await late
        assert isinstance(from_rpc_error(caught.value), Overloaded)
        holder.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await holder


async def test_a_caller_who_leaves_frees_his_room(start, target, call):
    gate = Gate()
    async with start(gate, target, inbox_bytes=MAX_REQUEST_BYTES):
        leaver = asyncio.create_task(call(target, photo=b"x" * 900_000))
        await until(lambda: gate.received == 1)
        stayer = asyncio.create_task(call(target, photo=b"y" * 900_000))
        leaver.cancel()
        await until(lambda: gate.received == 2)
        gate.open.set()
        await stayer


async def test_requests_are_let_go_at_their_end_without_the_garbage_collector(start, target, call):
    async def answer(request, context):
        return detector_pb2.DetectHoldsResponse()

    meter = MemoryMeter(MemoryLimit(0, None))
    async with start(answer, target):
        gc.disable()
        try:
            await call(target, photo=b"x" * 900_000)
            before_bytes = meter.used_bytes()
            for _ in range(40):
                await call(target, photo=b"x" * 900_000)
            heap.trim()
            assert meter.used_bytes() - before_bytes < 10_000_000
        finally:
            gc.enable()
