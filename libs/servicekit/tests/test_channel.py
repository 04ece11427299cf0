import asyncio
import contextlib

import grpc
import pytest
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from servicekit.channel import ask, open_channel, upload
from servicekit.deadlines import within
from servicekit.errors import InvalidImage, Unavailable
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.receipts import current_receipt, open_receipt
from servicekit.rich_status import from_rpc_error


async def answers(request, context):
    return detector_pb2.DetectHoldsResponse()


async def test_the_request_id_and_the_remaining_time_travel_with_a_call(start, target):
    seen = []

    async def looks(request, context):
        seen.append((current_receipt().request_id, context.time_remaining()))
        return detector_pb2.DetectHoldsResponse()

    async with start(looks, target), open_channel(target) as channel:
        stub = detector_pb2_grpc.DetectorServiceStub(channel)
        with open_receipt("trip-1", MemoryMeter(MemoryLimit(0, None))):
            async with within(4):
                await ask(stub.DetectHolds, detector_pb2.DetectHoldsRequest(), timeout_s=60)
                await ask(stub.DetectHolds, detector_pb2.DetectHoldsRequest(), timeout_s=2)
    (request_id, left_s), (_, shorter_s) = seen
    assert request_id == "trip-1"
    assert 3 < left_s < 4.1  # gRPC rounds a timeout up on the wire
    assert 1 < shorter_s < 2.1


async def test_a_call_is_repeated_when_the_replica_is_unavailable_and_never_for_other_failures(start, target, call):
    attempts = []

    async def fails_once(request, context):
        attempts.append(1)
        if len(attempts) == 1:
            raise Unavailable("starting")
        return detector_pb2.DetectHoldsResponse()

    async def fails(request, context):
        attempts.append(1)
        raise ValueError

    async with start(fails_once, target):
        await call(target)
    assert len(attempts) == 2
    attempts.clear()
    async with start(fails, target):
        with pytest.raises(grpc.aio.AioRpcError):
            await call(target)
    assert len(attempts) == 1


async def test_a_missing_service_is_unavailable_quickly_and_found_again_when_it_returns(start, target, call):
    async with open_channel(target) as channel:
        stub = detector_pb2_grpc.DetectorServiceStub(channel)
        async with asyncio.timeout(2):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.DetectHolds(detector_pb2.DetectHoldsRequest(), timeout=30)
        assert isinstance(from_rpc_error(caught.value), Unavailable)
        async with start(answers, target):
            async with asyncio.timeout(3):
                await stub.DetectHolds(detector_pb2.DetectHoldsRequest(), wait_for_ready=True)


async def test_two_replicas_both_get_traffic():
    counts = [0, 0]

    def counting(index):
        async def behavior(request, context):
            counts[index] += 1
            return detector_pb2.DetectHoldsResponse()

        return behavior

    async with contextlib.AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(_on_free_port(counting(index))) for index in range(2)]
        addresses = ",".join(f"127.0.0.1:{port}" for port in ports)
        channel = await stack.enter_async_context(open_channel(f"ipv4:{addresses}"))
        stub = detector_pb2_grpc.DetectorServiceStub(channel)
        for _ in range(50):
            await stub.DetectHolds(detector_pb2.DetectHoldsRequest(), wait_for_ready=True)
    assert min(counts) >= 10


@contextlib.asynccontextmanager
async def _on_free_port(behavior, checks=None):
    server = grpc.aio.server()
    if checks is not None:
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    detector_pb2_grpc.add_DetectorServiceServicer_to_server(_Servicer(behavior), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(0)


class _Servicer(detector_pb2_grpc.DetectorServiceServicer):
    def __init__(self, behavior):
        self._behavior = behavior

    async def DetectHolds(self, request, context):
        return await self._behavior(request, context)


async def test_a_call_with_a_large_photo_is_repeated_too(start, target, call):
    attempts = []

    async def fails_once(request, context):
        attempts.append(len(request.photo))
        if len(attempts) == 1:
            raise Unavailable("starting")
        return detector_pb2.DetectHoldsResponse()

    async with start(fails_once, target):
        await call(target, photo=b"x" * 900_000)
    assert attempts == [900_000, 900_000]


async def test_a_replica_that_is_not_serving_gets_no_new_calls():
    counts = [0, 0]

    def counting(index):
        async def behavior(request, context):
            counts[index] += 1
            return detector_pb2.DetectHoldsResponse()

        return behavior

    async with contextlib.AsyncExitStack() as stack:
        ports, checks = [], []
        for index in range(2):
            checks.append(health.aio.HealthServicer())
            await checks[index].set("", health_pb2.HealthCheckResponse.SERVING)
            ports.append(await stack.enter_async_context(_on_free_port(counting(index), checks[index])))
        channel = await stack.enter_async_context(open_channel("ipv4:" + ",".join(f"127.0.0.1:{p}" for p in ports)))
        stub = detector_pb2_grpc.DetectorServiceStub(channel)
        while min(counts) == 0:
            await stub.DetectHolds(detector_pb2.DetectHoldsRequest(), wait_for_ready=True)
        await checks[0].enter_graceful_shutdown()
        await asyncio.sleep(0.2)
        before = list(counts)
        for _ in range(20):
            await stub.DetectHolds(detector_pb2.DetectHoldsRequest(), wait_for_ready=True)
        assert [after - then for after, then in zip(counts, before, strict=True)] == [0, 20]


def uploading(channel, photo, sending=None):
    method = channel.stream_unary(
        "/climbmate.detector.v1.DetectorService/DetectHolds",
        response_deserializer=detector_pb2.DetectHoldsResponse.FromString,
    )
    request = detector_pb2.DetectHoldsRequest(photo=photo)
    return upload(method, request.SerializeToString, timeout_s=5, sending=sending or contextlib.nullcontext())


async def test_an_upload_is_a_call_like_any_other_with_the_id_and_the_time_that_is_left(start, target):
    seen = []

    async def looks(request, context):
        seen.append((request.photo, current_receipt().request_id, context.time_remaining()))
        return detector_pb2.DetectHoldsResponse()

    async with start(looks, target), open_channel(target) as channel:
        with open_receipt("trip-2", MemoryMeter(MemoryLimit(0, None))):
            await uploading(channel, b"x" * 900_000)
    ((photo, request_id, left_s),) = seen
    assert (photo, request_id) == (b"x" * 900_000, "trip-2")
    assert 4 < left_s < 5.1


async def test_an_upload_is_repeated_when_the_replica_is_unavailable(start, target):
    photos = []

    async def fails_once(request, context):
        photos.append(request.photo)
        if len(photos) == 1:
            raise Unavailable("starting")
        return detector_pb2.DetectHoldsResponse()

    async with start(fails_once, target), open_channel(target) as channel:
        await uploading(channel, b"y" * 500_000)
    assert photos == [b"y" * 500_000] * 2


async def test_a_refused_upload_tells_why(start, target):
    async def refuses(request, context):
        raise InvalidImage("no photo")

    async with start(refuses, target), open_channel(target) as channel:
        for size in (0, 900_000, 2_000_000):  # the last is more than the server reads
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await uploading(channel, bytes(size))
            assert failed.value.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}


async def test_what_is_held_for_an_upload_is_let_go_before_its_answer(start, target):
    sent, order = asyncio.Event(), []

    @contextlib.asynccontextmanager
    async def sending():
        yield
        order.append("sent")
        sent.set()

    async def waits(request, context):
        await sent.wait()
        order.append("answered")
        return detector_pb2.DetectHoldsResponse()

    async with start(waits, target), open_channel(target) as channel:
        await uploading(channel, bytes(900_000), sending())
    assert order == ["sent", "answered"]


async def test_an_upload_to_nobody_is_unavailable_quickly(target):
    async with open_channel(target) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await asyncio.wait_for(uploading(channel, bytes(900_000)), 3)
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE


class NeverSends:
    """A call of gRPC's core that is over just before its message is written, as when the service refuses it at once."""

    def __init__(self, core_call):
        self._core_call = core_call

    def __getattr__(self, name):
        return getattr(self._core_call, name)

    async def send_serialized_message(self, message):
        while not self._core_call.done():
            await asyncio.sleep(0.01)
        raise grpc.aio.InternalError("the call is over")


async def test_a_request_that_was_never_sent_is_worth_another_try(start, target):
    async with start(answers, target), open_channel(target) as channel:

        def method(**options):
            call = channel.stream_unary("/climbmate.detector.v1.DetectorService/DetectHolds")(**options)
            call._cython_call = NeverSends(call._cython_call)
            return call

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await upload(method, lambda: b"", timeout_s=0.3, sending=contextlib.nullcontext())
        assert isinstance(from_rpc_error(caught.value), Unavailable)
