"""Calls whose caller leaves cost nothing that stays (grpc/grpc#43360)."""

import asyncio
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from servicekit.channel import ask, open_channel, upload
from servicekit.memory import MB, MemoryLimit, MemoryMeter

ANSWER = detector_pb2.DetectHoldsResponse(holds=[detector_pb2.DetectedHold(crop_rgb=b"\x7f" * 900_000)])


class Prompt(detector_pb2_grpc.DetectorServiceServicer):
    """Answers when it is told to, from a thread, so that the caller's loop may be busy meanwhile."""

    def __init__(self):
        self.began, self.go_on = threading.Semaphore(0), threading.Semaphore(0)

    def DetectHolds(self, request, context):
        self.began.release()
        self.go_on.acquire()
        return ANSWER


@pytest.fixture
def prompt(target):
    servicer, server = Prompt(), grpc.server(ThreadPoolExecutor(1))
    detector_pb2_grpc.add_DetectorServiceServicer_to_server(servicer, server)
    server.add_insecure_port(target)
    server.start()
    yield servicer
    server.stop(0).wait()


def by_ask(channel):
    stub = detector_pb2_grpc.DetectorServiceStub(channel)
    return lambda timeout=60: ask(stub.DetectHolds, detector_pb2.DetectHoldsRequest(), timeout_s=timeout)


def by_upload(channel):
    method = channel.stream_unary(
        "/climbmate.detector.v1.DetectorService/DetectHolds",
        response_deserializer=detector_pb2.DetectHoldsResponse.FromString,
    )
    return lambda timeout=60: upload(method, bytes, timeout_s=timeout, sending=contextlib.nullcontext())


@pytest.fixture(params=[by_ask, by_upload])
def way(request):
    return request.param


async def leave_while_the_answer_lands(ask_once, prompt):
    call = asyncio.ensure_future(ask_once())
    while not prompt.began.acquire(blocking=False):
        await asyncio.sleep(0.001)
    prompt.go_on.release()
    time.sleep(0.02)  # the loop does not see the answer, which is in this process by now
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call


async def test_an_answer_that_nobody_waits_for_any_more_does_not_stay_in_memory(prompt, target, way):
    memory = MemoryMeter(MemoryLimit(0, None))
    async with open_channel(target) as channel:
        ask_once = way(channel)
        for _ in range(10):
            await leave_while_the_answer_lands(ask_once, prompt)
        before_bytes = memory.used_bytes()
        for _ in range(60):
            await leave_while_the_answer_lands(ask_once, prompt)
        assert memory.used_bytes() - before_bytes < 20 * MB, "54 MB came in vain"


async def test_a_caller_who_leaves_stops_the_work_and_the_channel_still_works(start, target, way):
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def work_for_ever(request, context):
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with start(work_for_ever, target), open_channel(target) as channel:
        ask_once = way(channel)
        call = asyncio.ensure_future(ask_once())
        await began.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(cancelled.wait(), 2)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await ask_once(timeout=0.2)
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
