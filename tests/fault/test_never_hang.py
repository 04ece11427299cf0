"""Whatever stops, dies, stalls or dawdles: requests end by their deadline plus one second, typed, and all recovers."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from climbmate_client.local import LocalStack, ServiceProcess
from climbmate_client.local.keep_running import keep_running
from climbmate_client.settings import service_environment

from bench.flood.client import BROKEN, LATE, send
from bench.flood.mix import Upload

pytestmark = pytest.mark.timeout(150)
SAMPLE = (Path(__file__).parents[2] / "assets" / "sample-wall.jpg").read_bytes()
PHOTO = Upload("sample", SAMPLE, 1)
DEADLINE_S = 2.0
RECOVERY_S = 30.0
MODEL_SERVICES = ("detector", "colorizer")


@pytest.fixture(scope="module")
def stack():
    """The three services, each started again when it ends, as any orchestrator does."""
    with LocalStack() as running:
        stop = threading.Event()
        watching = threading.Thread(target=keep_running, args=(running, stop))
        watching.start()
        try:
            yield running
        finally:
            stop.set()
            watching.join()


async def requests(url, count, *, deadline_s=DEADLINE_S, during=None):
    """Send photos at once, do something to the services meanwhile, and give the outcomes."""
    parts = urlsplit(url)
    sending = [
        asyncio.create_task(send(PHOTO, parts.hostname, parts.port, deadline_s=deadline_s)) for _ in range(count)
    ]
    if during is not None:
        await asyncio.sleep(0.3)
        during()
    return await asyncio.gather(*sending)


def assert_all_ended_typed(outcomes):
    for outcome in outcomes:
        assert outcome.status in ("200", "503", "504"), outcome
        assert outcome.status == "200" or outcome.code in ("OVERLOADED", "UNAVAILABLE", "DEADLINE_EXCEEDED"), outcome


def assert_recovers(url, status="200"):
    """Without human help, a photo is soon analyzed in full again."""
    end_s = time.monotonic() + RECOVERY_S
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as http:
        while time.monotonic() < end_s:
            with contextlib.suppress(httpx.TransportError):
                answer = http.post("/api/analyze", content=SAMPLE, headers={"content-type": "image/jpeg"})
                if answer.status_code == 200 and not answer.json()["degraded"]:
                    return
            time.sleep(0.3)
    pytest.fail(f"no full answer within {RECOVERY_S:g} s")


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


async def test_a_detector_behind_a_black_hole_is_a_typed_failure():
    with socket.socket() as hole, socket.socket() as http:
        hole.bind(("127.0.0.1", 0))
        hole.listen(8)  # takes connections, never says a word
        http.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{http.getsockname()[1]}"
        http.close()
        target = f"127.0.0.1:{hole.getsockname()[1]}"
        environ = service_environment(
            {
                "GATEWAY_LISTEN": address,
                "GATEWAY_GRPC_LISTEN": "127.0.0.1:0",
                "GATEWAY_DETECTOR_TARGET": target,
                "GATEWAY_COLORIZER_TARGET": target,
            }
        )
        gateway = ServiceProcess("gateway", [sys.executable, "-m", "gateway"], environ, lambda _line: None)
        gateway.start()
        try:
            _wait_until_alive(f"http://{address}")
            outcomes = await requests(f"http://{address}", 4)
        finally:
            gateway.stop()
    assert {outcome.status for outcome in outcomes} <= {"503", "504"}
    assert_all_ended_typed(outcomes)


def _wait_until_alive(url):
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/livez", trust_env=False).is_success:
                return
        time.sleep(0.1)
    pytest.fail("the gateway did not start")
