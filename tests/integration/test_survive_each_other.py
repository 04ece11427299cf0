"""A service that is stopped costs what only it can give, and comes back without anybody's help."""

import time

import httpx
import pytest

RECOVERY_S = 15.0  # the model services load and warm their models first
QUICKLY_S = 3.0
JPEG = {"content-type": "image/jpeg", "cache-control": "no-cache"}


@pytest.fixture(scope="module")
def analyze(stack, sample_photo):
    photo = sample_photo.read_bytes()
    with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
        yield lambda: client.post("/api/analyze", content=photo, headers=JPEG)


@pytest.fixture
def without(stack):
    """Stop a service for the rest of the test; give a function that starts it again."""
    stopped = []

    def stop(name):
        process = stack.processes[name]
        stopped.append(process)
        assert process.stop() == 0
        return process.start

    yield stop
    for process in stopped:
        process.start()
    stack.wait_ready()


def until(condition):
    end_s = time.monotonic() + RECOVERY_S
    while not condition():
        assert time.monotonic() < end_s, "it did not recover in time"
        time.sleep(0.1)


def test_without_the_colorizer_holds_come_back_uncolored_and_colors_return_with_it(analyze, without):
    start_again = without("colorizer")
    start_s = time.perf_counter()
    response = analyze()
    assert time.perf_counter() - start_s < QUICKLY_S
    assert response.status_code == 200
    assert response.json()["degraded"] == ["colors"]
    assert {hold["color"]["name"] for hold in response.json()["holds"]} == {"unknown"}
    assert all(hold["color"]["reason"] for hold in response.json()["holds"])
    start_again()
    until(lambda: analyze().json()["degraded"] == [])


def test_without_the_detector_the_answer_is_unavailable_quickly_and_photos_return_with_it(analyze, without):
    start_again = without("detector")
    start_s = time.perf_counter()
    response = analyze()
    assert time.perf_counter() - start_s < QUICKLY_S
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "UNAVAILABLE"
    assert int(response.headers["retry-after"]) >= 1
    start_again()
    until(lambda: analyze().status_code == 200)


def test_a_killed_colorizer_costs_colors_and_nothing_else(stack, analyze, without):
    start_again = without("colorizer")
    start_again()
    until(lambda: analyze().json()["degraded"] == [])
    stack.processes["colorizer"].kill()
    assert analyze().json()["degraded"] == ["colors"]
    start_again()
    until(lambda: analyze().json()["degraded"] == [])


def test_the_gateway_can_be_restarted_while_the_others_keep_running(stack, analyze, without):
    without("gateway")()
    stack.wait_ready()
    assert analyze().status_code == 200
