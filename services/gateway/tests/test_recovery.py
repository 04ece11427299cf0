"""The gateway without the services behind it, and with them again."""

import asyncio
import socket
import time

import pytest


async def until(condition, limit_s=5.0):
    end_s = time.monotonic() + limit_s
    while not await condition():
        assert time.monotonic() < end_s, "it did not recover in time"
        await asyncio.sleep(0.05)


async def test_without_a_colorizer_the_holds_come_back_uncolored_and_colors_return_with_it(gate):
    await gate.services["colorizer"].stop()
    start_s = time.perf_counter()
    response = await gate.analyze()
    assert time.perf_counter() - start_s < 3
    answer = response.json()
    assert (response.status_code, answer["degraded"], answer["problems"]) == (200, ["colors"], [])
    assert len(answer["holds"]) == 5
    color = {"name": "unknown", "confidence": 0.0, "rgb": None, "reason": "The colorizer did not answer in time."}
    assert all(hold["color"] == color for hold in answer["holds"])
    assert answer["models"]["colorizer"] is None

    await gate.services["colorizer"].start()

    async def colored():
        return (await gate.analyze()).json()["degraded"] == []

    await until(colored)


async def test_without_a_detector_the_answer_is_unavailable_at_once_and_photos_return_with_it(gate):
    await gate.services["detector"].stop()
    start_s = time.perf_counter()
    response = await gate.analyze()
    assert time.perf_counter() - start_s < 3
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "UNAVAILABLE"
    assert int(response.headers["retry-after"]) >= 1

    await gate.services["detector"].start()

    async def analyzed():
        return (await gate.analyze()).status_code == 200

    await until(analyzed)


async def test_health_and_readiness_follow_the_detector(gate):
    await gate.services["detector"].stop()

    async def noticed():
        return (await gate.http.get("/readyz")).status_code == 503

    await until(noticed)
    health = await gate.http.get("/api/health")
    assert health.status_code == 503
    assert health.json()["status"] == "unavailable"
    assert not health.json()["services"]["detector"]["serving"]
    assert health.json()["services"]["colorizer"]["serving"]
    await gate.services["detector"].start()
    await asyncio.wait_for(gate.until_ready(), 5)


async def test_a_lost_colorizer_degrades_health_but_not_readiness(gate):
    await gate.services["colorizer"].stop()

    async def noticed():
        return (await gate.http.get("/api/health")).status_code == 503

    await until(noticed)
    assert (await gate.http.get("/api/health")).json()["status"] == "degraded"
    assert (await gate.http.get("/readyz")).status_code == 200


@pytest.mark.parametrize("missing", ["detector", "colorizer"])
async def test_it_is_not_ready_before_every_dependency_has_served(open_gate, missing):
    gate = await open_gate(ready=False)
    (present,) = {"detector", "colorizer"} - {missing}
    await gate.services[present].start()

    async def seen():
        return (await gate.http.get("/api/health")).json()["services"][present]["serving"]

    await until(seen)
    assert (await gate.http.get("/readyz")).status_code == 503
    assert (await gate.http.get("/livez")).status_code == 200
    await gate.services[missing].start()
    await asyncio.wait_for(gate.until_ready(), 5)


async def test_a_detector_that_goes_away_during_the_work_makes_the_answer_unavailable(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    waiting = asyncio.create_task(gate.analyze())
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    await gate.services["detector"].stop()
    response = await asyncio.wait_for(waiting, 3)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "UNAVAILABLE")


async def test_a_colorizer_that_goes_away_during_the_work_costs_the_colors(gate):
    gate.colorizer.before = lambda ids: asyncio.sleep(60)
    waiting = asyncio.create_task(gate.analyze())
    while not gate.colorizer.requests:
        await asyncio.sleep(0.01)
    await gate.services["colorizer"].stop()
    response = await asyncio.wait_for(waiting, 3)
    assert (response.status_code, response.json()["degraded"]) == (200, ["colors"])


@pytest.mark.parametrize("lost", ["detector", "colorizer"])
async def test_a_service_that_hears_and_never_answers_is_waited_for_until_the_deadline_only(gate, lost):
    """As a stopped process (SIGSTOP) or a black-holed address does: the connection is there, and nothing comes."""
    service = gate.services[lost]
    await service.stop()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(service.target.removeprefix("unix:"))
        silent.listen()
        start_s = time.perf_counter()
        response = await gate.analyze(headers={"x-request-deadline-ms": "1000"})
        assert time.perf_counter() - start_s < 2
    if lost == "colorizer":
        assert (response.status_code, response.json()["degraded"]) == (200, ["colors"])
    else:
        assert response.json()["error"]["code"] in {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
