"""A service that takes connections and never says a word: its callers end typed and in time."""

import contextlib
import socket
import sys
import time

import httpx
import pytest
from climbmate_client import Client, errors
from climbmate_client.local import ANEW, LocalStack, ServiceProcess
from climbmate_client.settings import service_environment

from bench.faults.requests import DEADLINE_S, SAMPLE, requests, target_of, untyped

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def stack():
    with LocalStack(own_settings=ANEW) as running:
        yield running


@contextlib.contextmanager
def a_black_hole():
    """An address that takes connections and never says a word."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(64)
        yield f"127.0.0.1:{hole.getsockname()[1]}"


@contextlib.contextmanager
def gateway_before(detector, colorizer):
    """A gateway of its own that finds the model services there; gives its URL."""
    with socket.socket() as http:
        http.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{http.getsockname()[1]}"
    own = {"GATEWAY_LISTEN": address, "GATEWAY_GRPC_LISTEN": "127.0.0.1:0"}
    environ = service_environment(own | {"GATEWAY_DETECTOR_TARGET": detector, "GATEWAY_COLORIZER_TARGET": colorizer})
    gateway = ServiceProcess("gateway", [sys.executable, "-m", "gateway"], environ, lambda _line: None)
    gateway.start()
    try:
        _wait_until_alive(f"http://{address}")
        yield f"http://{address}"
    finally:
        gateway.stop()


def _wait_until_alive(url):
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/livez", trust_env=False).is_success:
                return
        time.sleep(0.1)
    pytest.fail("the gateway did not start")


async def test_a_detector_behind_a_black_hole_is_a_typed_failure(stack):
    with a_black_hole() as hole, gateway_before(hole, target_of(stack, "colorizer")) as url:
        outcomes = await requests(url, 4)
    assert {outcome.status for outcome in outcomes} <= {"503", "504"}
    assert not untyped(outcomes)


async def test_a_colorizer_behind_a_black_hole_costs_the_colors_and_no_more_than_the_time(stack):
    with a_black_hole() as hole, gateway_before(target_of(stack, "detector"), hole) as url:
        outcomes = await requests(url, 2, deadline_s=6)
    assert not untyped(outcomes)
    assert {(outcome.status, outcome.degraded) for outcome in outcomes} == {("200", True)}


def test_a_gateway_behind_a_black_hole_is_a_typed_failure_for_the_client():
    with a_black_hole() as hole, Client(f"http://{hole}", timeout_s=1.0) as climbmate:
        start_s = time.perf_counter()
        with pytest.raises(errors.ClimbmateError):
            climbmate.analyze(SAMPLE)
        assert time.perf_counter() - start_s < DEADLINE_S
