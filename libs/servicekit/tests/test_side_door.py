import asyncio
import time

import grpc
import pytest
from climbmate.detector.v1 import detector_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from servicekit.health import HealthServicer

MB = 1_000_000


@pytest.fixture
async def served(start, target):
    async def behavior(request, context):
        return detector_pb2.DetectHoldsResponse()

    checks = health.aio.HealthServicer()
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)

    def register(server):
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)

    async with start(behavior, target, register=register):
        yield target


async def test_health_is_answered_and_watched(served):
    async with grpc.aio.insecure_channel(served) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest()
        assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
        async for answer in stub.Watch(request):
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            break


async def test_a_health_check_as_large_as_a_photo_is_refused(served):
    async with grpc.aio.insecure_channel(served) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="x" * 900_000))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_caller_who_never_sends_its_request_does_not_shut_the_door(served):
    async with grpc.aio.insecure_channel(served) as channel:
        silent = channel.stream_unary("/grpc.health.v1.Health/Check")()
        await silent.wait_for_connection()
        await asyncio.sleep(0.05)
        began_s = time.monotonic()
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=3)
        assert time.monotonic() - began_s < 1
        silent.cancel()


async def test_health_is_answered_unread_at_once_while_the_inbox_is_full(start, target, call):
    began, go_on = asyncio.Event(), asyncio.Event()

    async def behavior(request, context):
        began.set()
        await go_on.wait()
        return detector_pb2.DetectHoldsResponse()

    checks = HealthServicer(["a.B"])
    await checks.open()

    def register(server):
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)

    async with (
        start(behavior, target, inbox_bytes=3 * MB, register=register),
        grpc.aio.insecure_channel(target) as channel,
    ):
        busy = asyncio.create_task(call(target, photo=b"x" * 900_000))
        await began.wait()
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "a.B", "x" * 900_000):
            before_s = time.monotonic()
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            assert time.monotonic() - before_s < 0.4
        go_on.set()
        await busy


async def test_streams_do_not_keep_checks_out(served):
    async with grpc.aio.insecure_channel(served) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(260)]
        await asyncio.gather(*(watch.read() for watch in watches), return_exceptions=True)
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
