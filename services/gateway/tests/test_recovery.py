"""The gateway without the services behind it, and with them again."""

import asyncio
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
