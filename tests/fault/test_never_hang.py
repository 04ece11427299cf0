"""Whatever stops, dies, stalls or dawdles: requests end by their deadline plus one second, typed, and all recovers."""

import asyncio
import contextlib
import os
import signal
import time
from urllib.parse import urlsplit

import grpc
import pytest
from climbmate.analyzer.v1 import analyzer_pb2
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.detector.v1 import detector_pb2
from climbmate.hold.v1 import hold_pb2
from climbmate_client.local import ANEW, LocalStack
from climbmate_client.monitor.look import Watcher
from servicekit.channel import open_channel
from servicekit.rich_status import from_rpc_error

from bench.faults.requests import DEADLINE_S, SAMPLE, recovers, requests, target_of, untyped, watched
from bench.faults.slow_reader import read_slowly
from bench.flood.client import BROKEN, LATE
from bench.soak.toy import small_photo

pytestmark = pytest.mark.timeout(150)
MODEL_SERVICES = ("detector", "colorizer")
SERVICES = (*MODEL_SERVICES, "gateway")


@pytest.fixture(scope="module")
def stack():
    """The three services, each started again when it ends."""
    with watched(LocalStack(own_settings=ANEW)) as running:
        yield running


def assert_all_ended_typed(outcomes):
    assert not untyped(outcomes)


def assert_recovers(url):
    assert recovers(url)


@pytest.mark.parametrize("name", MODEL_SERVICES)
async def test_a_service_that_is_stopped_leaves_nobody_hanging(stack, name):
    pid = stack.processes[name].pid
    try:
        outcomes = await requests(stack.url, 4, during=lambda: os.kill(pid, signal.SIGSTOP))
        later = await requests(stack.url, 2)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert_all_ended_typed([*outcomes, *later])
    assert_recovers(stack.url)


@pytest.mark.parametrize("name", SERVICES)
def test_the_monitor_shows_the_memory_of_a_service_that_is_stopped(stack, name):
    pid, watcher = stack.processes[name].pid, Watcher(stack.url)
    try:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(4)  # until the gateway has noticed
        seen = [each for each in watcher.look() if each.pid == pid]
    finally:
        os.kill(pid, signal.SIGCONT)
        watcher.close()
    assert [each.state in ("no answer", "not serving") for each in seen] == [True]
    assert seen[0].memory.used_bytes > 20_000_000
    assert_recovers(stack.url)


@pytest.mark.parametrize("name", MODEL_SERVICES)
async def test_a_service_that_is_killed_leaves_nobody_hanging(stack, name):
    outcomes = await requests(stack.url, 4, deadline_s=8, during=stack.processes[name].kill)
    assert_all_ended_typed(outcomes)
    assert_recovers(stack.url)


async def test_a_gateway_that_is_killed_comes_back_by_itself(stack):
    outcomes = await requests(stack.url, 4, deadline_s=8, during=stack.processes["gateway"].kill)
    assert LATE not in {outcome.status for outcome in outcomes}
    assert_all_ended_typed([outcome for outcome in outcomes if outcome.status != BROKEN])
    assert_recovers(stack.url)


async def test_more_requests_than_there_is_time_for_all_end_typed(stack):
    outcomes = await requests(stack.url, 60)
    assert_all_ended_typed(outcomes)
    assert_recovers(stack.url)


async def test_readers_of_a_byte_a_second_do_not_hold_up_others(stack):
    parts = urlsplit(stack.url)
    head = f"POST /api/analyze HTTP/1.1\r\nhost: x\r\ncontent-type: image/jpeg\r\ncontent-length: {len(SAMPLE)}\r\n\r\n"
    slow = [await asyncio.open_connection(parts.hostname, parts.port, limit=1) for _ in range(6)]
    try:
        for _, writer in slow:
            writer.write(head.encode() + SAMPLE)
        dawdling = [asyncio.create_task(_read_slowly(reader)) for reader, _ in slow]
        outcomes = await requests(stack.url, 4, deadline_s=20)
        for task in dawdling:
            task.cancel()
    finally:
        for _, writer in slow:
            writer.close()
    assert {outcome.status for outcome in outcomes} == {"200"}


async def _read_slowly(reader):
    while await reader.read(1):
        await asyncio.sleep(1)


async def test_an_upload_of_a_byte_a_second_ends_by_its_deadline(stack):
    parts = urlsplit(stack.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    start_s = time.perf_counter()
    writer.write(
        b"POST /api/analyze HTTP/1.1\r\nhost: x\r\ncontent-type: image/jpeg\r\nx-request-deadline-ms: 2000\r\n"
        b"content-length: 1000000\r\n\r\n"
    )
    trickle = asyncio.create_task(_write_slowly(writer))
    answer = await asyncio.wait_for(reader.read(), 10)
    took_s = time.perf_counter() - start_s
    trickle.cancel()
    writer.close()
    assert b" 504 " in answer.split(b"\r\n")[0]
    assert b"DEADLINE_EXCEEDED" in answer
    assert took_s <= DEADLINE_S + 1


async def _write_slowly(writer):
    with contextlib.suppress(ConnectionError):
        for byte in SAMPLE:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)


async def test_a_gateway_that_is_stopped_for_a_while_ends_what_it_had_typed_and_in_time(stack):
    pid = stack.processes["gateway"].pid

    def pause():
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.0)
        os.kill(pid, signal.SIGCONT)

    outcomes = await requests(stack.url, 4, during=pause)
    assert_all_ended_typed(outcomes)
    assert_recovers(stack.url)


BUGS = {
    "detector": ("detector.finder:outlined", "1:5", "INTERNAL"),
    "colorizer": ("colorizer.colorist:match", "1:5", None),
    "gateway": ("gateway.problems:group", "1:5", "INTERNAL"),
}


@pytest.mark.parametrize("name", SERVICES)
async def test_an_exception_in_a_stage_ends_its_own_requests_at_once_and_no_others(name):
    bug, calls, code = BUGS[name]
    planted = {"PYTHONPATH": "bench/faults/planted", "PLANTED_BUG": bug, "PLANTED_CALLS": calls}
    with LocalStack(own_settings=ANEW, service_settings={name: planted}) as stack:
        outcomes = await requests(stack.url, 4, deadline_s=20)
        if code is None:
            assert {(outcome.status, outcome.degraded) for outcome in outcomes} == {("200", True)}
        else:
            assert {(outcome.status, outcome.code) for outcome in outcomes} == {("500", code)}
        assert_recovers(stack.url)
        assert stack.processes[name].running


def slow_calls(stack):
    """For every service its gRPC address, a method, and a request whose answer is longer than a byte."""
    pixels = bytes(3 * 16 * 16)
    crop = colorizer_pb2.Crop(hold_id=1, mask=hold_pb2.Mask(width=16, height=16, bits=b"\xff" * 32), rgb=pixels)
    colors = colorizer_pb2.ColorHoldsRequest(crops=[crop])
    photo = small_photo()
    return {
        "detector": (
            target_of(stack, "detector"),
            "/climbmate.detector.v1.DetectorService/DetectHolds",
            detector_pb2.DetectHoldsRequest(photo=photo),
        ),
        "colorizer": (
            target_of(stack, "colorizer"),
            "/climbmate.colorizer.v1.ColorizerService/ColorHolds",
            colors,
        ),
        "gateway": (
            stack.grpc_target,
            "/climbmate.analyzer.v1.AnalyzerService/AnalyzePhoto",
            analyzer_pb2.AnalyzePhotoRequest(photo=photo),
        ),
    }


@pytest.mark.parametrize("name", SERVICES)
async def test_grpc_readers_of_a_byte_a_second_are_cut_off_and_hold_up_nobody(stack, name):
    target, method, request = slow_calls(stack)[name]
    calls = [read_slowly(target, method, request.SerializeToString(), timeout_s=3) for _ in range(6)]
    slow = [asyncio.create_task(asyncio.wait_for(call, 20)) for call in calls]
    outcomes = await requests(stack.url, 4, deadline_s=20)
    assert {outcome.status for outcome in outcomes} == {"200"}
    start_s = time.perf_counter()
    assert set(await asyncio.gather(*slow)) <= {"reset", "ended", "closed"}
    assert time.perf_counter() - start_s < 3 + 1


SHORT_QUEUES = {
    "detector": {"DETECTOR_QUEUE": "0", "MAX_WAITING": "1", "INBOX_MB": "1"},
    "gateway": {"GATEWAY_MAX_IN_FLIGHT": "1"},
}


@pytest.mark.parametrize("name", SHORT_QUEUES)
async def test_a_full_queue_refuses_typed_and_serves_again_when_it_is_empty(name):
    with LocalStack(own_settings=ANEW, service_settings={name: SHORT_QUEUES[name]}) as stack:
        outcomes = await requests(stack.url, 24, deadline_s=10)
        assert_all_ended_typed(outcomes)
        assert any(outcome.status == "503" for outcome in outcomes)
        assert any(outcome.status == "200" for outcome in outcomes)
        assert_recovers(stack.url)


async def test_a_full_queue_of_the_colorizer_refuses_typed_and_costs_no_photo_its_colors():
    """The gateway asks for no more at once than the colorizer takes, so others have to fill its queue."""
    with LocalStack(own_settings=ANEW, service_settings={"colorizer": {"COLORIZER_QUEUE": "0"}}) as stack:
        crop = slow_calls(stack)["colorizer"][2].crops[0]
        many = colorizer_pb2.ColorHoldsRequest(crops=[crop] * 300)
        async with open_channel(target_of(stack, "colorizer")) as channel:
            stub = colorizer_pb2_grpc.ColorizerServiceStub(channel)
            ends = await asyncio.gather(*(stub.ColorHolds(many, timeout=10) for _ in range(16)), return_exceptions=True)
        refused = [from_rpc_error(end) for end in ends if isinstance(end, grpc.aio.AioRpcError)]
        assert 0 < len(refused) < len(ends)
        assert {error.reason for error in refused} == {"OVERLOADED"}
        assert_recovers(stack.url)
