import asyncio
import time

import grpc
import pytest
from climbmate.detector.v1 import detector_pb2
from servicekit import errors
from servicekit.cancel import Cancelled
from servicekit.deadlines import remaining_s
from servicekit.receipts import current_receipt, stage
from servicekit.rich_status import from_rpc_error

FAILURES = [
    errors.InvalidImage("no photo", details={"bytes": "3"}),
    errors.UnsupportedFormat("a GIF"),
    errors.InvalidParameter("max_holds is 0", details={"max_holds": "must be 1 to 300"}),
    errors.ImageTooLarge("too many pixels", details={"pixels": "1", "limit": "0"}),
    errors.Unauthenticated("no key"),
    errors.NotFound("nothing here"),
    errors.MethodNotAllowed("not this way"),
    errors.InvalidRequest("no HTTP"),
    errors.UriTooLong("too long an address", details={"limit_bytes": "16384"}),
    errors.HeadersTooLarge("too many headers", details={"limit_headers": "100"}),
    errors.DeadlineExceeded("too late"),
    errors.Internal(),
    errors.RateLimited("slow down", retry_after_s=2.5),
    errors.Overloaded("queue full", retry_after_s=0.25, details={"pending": "9"}),
    errors.Unavailable("starting", retry_after_s=1.5),
    errors.NotStored("full", retry_after_s=60.0),
]


def raises(error):
    async def behavior(request, context):
        raise error

    return behavior


async def answers(request, context):
    return detector_pb2.DetectHoldsResponse()


def test_every_error_is_tried():
    assert [type(failure) for failure in FAILURES] == list(errors.ALL)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.reason)
async def test_an_error_comes_back_over_a_real_channel_with_code_reason_details_and_retry_time(
    failure, start, target, call
):
    async with start(raises(failure), target):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(target)
    assert caught.value.code() is failure.code
    received = from_rpc_error(caught.value)
    assert type(received) is type(failure)
    assert (received.message, received.details) == (failure.message, failure.details)
    if isinstance(failure, errors.RetryableError):
        assert received.retry_after_s == failure.retry_after_s


@pytest.mark.parametrize(
    "bug", [ValueError("secret path"), UnboundLocalError("x"), TimeoutError("socket"), Cancelled()]
)
async def test_a_bug_is_internal_at_once_and_leaks_nothing(bug, start, target, call):
    async with start(raises(bug), target):
        began_s = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(target)
    assert time.monotonic() - began_s < 1
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in caught.value.details()


async def test_every_call_has_a_deadline_even_when_its_caller_sets_none(start, target, call):
    async def hangs(request, context):
        await asyncio.sleep(60)

    async with start(hangs, target, deadline_s=0.2):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(target)
    assert isinstance(from_rpc_error(caught.value), errors.DeadlineExceeded)


async def test_a_servicer_sees_its_callers_remaining_time(start, target, call):
    seen = []

    async def looks(request, context):
        seen.append(remaining_s())
        return detector_pb2.DetectHoldsResponse()

    async with start(looks, target, deadline_s=60):
        await call(target, timeout=3)
    assert 2 < seen[0] < 3.1  # gRPC rounds a timeout up on the wire


async def test_a_callers_request_id_is_kept_and_a_malformed_one_is_replaced(start, target, call):
    seen = []

    async def looks(request, context):
        seen.append(current_receipt().request_id)
        return detector_pb2.DetectHoldsResponse()

    async with start(looks, target):
        await call(target, metadata=(("x-request-id", "mine-1"),))
        await call(target, metadata=(("x-request-id", "not ok!"),))
    assert seen[0] == "mine-1"
    assert len(seen[1]) == 26


async def test_stages_are_measured_also_when_they_fail(start, target, call):
    async def fails(request, context):
        with stage("decode"):
            await asyncio.sleep(0.02)
            raise errors.InvalidImage("no")

    async with start(fails, target) as served:
        with pytest.raises(grpc.aio.AioRpcError):
            await call(target)
        count = served.metrics.registry.get_sample_value("climbmate_stage_seconds_count", {"stage": "decode"})
        outcome = {"method": "/climbmate.detector.v1.DetectorService/DetectHolds", "outcome": "INVALID_IMAGE"}
        calls = served.metrics.registry.get_sample_value("climbmate_rpc_seconds_count", outcome)
    assert (count, calls) == (1, 1)


async def test_a_caller_who_leaves_ends_his_own_call_only(start, target, call):
    release, cancelled = asyncio.Event(), []

    async def waits(request, context):
        try:
            await release.wait()
        except asyncio.CancelledError:
            cancelled.append(request.max_holds)
            raise
        return detector_pb2.DetectHoldsResponse()

    async with start(waits, target) as served:
        leaver = asyncio.create_task(call(target, max_holds=1))
        stayer = asyncio.create_task(call(target, max_holds=2))
        while served.interceptor.in_flight < 2:
            await asyncio.sleep(0.01)
        leaver.cancel()
        while served.interceptor.in_flight > 1:
            await asyncio.sleep(0.01)
        release.set()
        await stayer
    assert cancelled == [1]
