"""The same photo is computed once, for all who ask the same, and its answer is kept for a while."""

import asyncio

import pytest

FRESH = {"cache-control": "no-cache"}


@pytest.fixture
async def gate(open_gate):
    return await open_gate(gateway_remember_s=600.0)


def facts(response):
    answer = response.json()
    answer.pop("request_id")
    return answer


async def test_fifty_that_arrive_together_are_computed_once(gate):
    go_on = asyncio.Event()
    gate.detector.before = go_on.wait
    waiting = [asyncio.create_task(gate.analyze(headers={"x-request-id": f"caller-{n}"})) for n in range(50)]
    while (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"] < 50:
        await asyncio.sleep(0.01)
    go_on.set()
    answers = await asyncio.gather(*waiting)
    assert len(gate.detector.requests) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["request_id"] for answer in answers] == [f"caller-{n}" for n in range(50)]
    assert all(facts(answer) == facts(answers[0]) for answer in answers)


async def test_the_same_photo_is_answered_from_memory_and_in_the_callers_name(gate):
    first = await gate.analyze()
    second = await gate.analyze(headers={"x-request-id": "again"})
    assert facts(second) == facts(first)
    assert second.json()["request_id"] == second.headers["x-request-id"] == "again"
    assert len(gate.detector.requests) == 1


async def test_a_form_and_a_raw_body_with_the_same_photo_are_the_same_question(gate, jpeg):
    await gate.analyze()
    response = await gate.http.post("/api/analyze", files={"image": ("wall.jpg", jpeg, "image/jpeg")})
    assert response.status_code == 200
    assert len(gate.detector.requests) == 1


async def test_other_bytes_or_other_parameters_are_another_question(gate, jpeg):
    await gate.analyze()
    await gate.analyze(jpeg + b"x")
    await gate.analyze(max_holds=3)
    await gate.analyze(min_holds=4)
    assert len(gate.detector.requests) == 4


async def test_a_caller_may_have_it_computed_anew_for_all(gate, hold):
    await gate.analyze()
    gate.detector.holds = [hold(0)]
    anew = await gate.analyze(headers=FRESH)
    assert len(anew.json()["holds"]) == 1
    assert facts(await gate.analyze()) == facts(anew)
    assert len(gate.detector.requests) == 2


async def test_what_is_remembered_is_forgotten_in_time(open_gate):
    gate = await open_gate(gateway_remember_s=0.1)
    address = (await gate.analyze()).headers["content-location"]
    await asyncio.sleep(0.2)
    assert (await gate.http.get(address)).json()["error"]["code"] == "NOT_FOUND"
    await gate.analyze()
    assert len(gate.detector.requests) == 2


async def test_an_answer_without_colors_answers_nobody_else(gate):
    async def fail(ids):
        raise RuntimeError("planted")

    gate.colorizer.before = fail
    assert (await gate.analyze()).json()["degraded"] == ["colors"]
    gate.colorizer.before = None
    assert (await gate.analyze()).json()["degraded"] == []


async def test_an_answer_to_a_damaged_photo_is_kept_since_the_photo_will_not_improve(gate):
    gate.detector.damaged = True
    assert [(await gate.analyze()).json()["degraded"] for _ in range(2)] == [["damaged"]] * 2
    assert len(gate.detector.requests) == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered(gate):
    go_on = asyncio.Event()

    async def fail():
        await go_on.wait()
        raise ValueError("planted")

    gate.detector.before = fail
    waiting = [asyncio.create_task(gate.analyze(headers={"x-request-id": f"caller-{n}"})) for n in range(5)]
    while (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"] < 5:
        await asyncio.sleep(0.01)
    go_on.set()
    answers = await asyncio.gather(*waiting)
    assert [answer.json()["error"]["request_id"] for answer in answers] == [f"caller-{n}" for n in range(5)]
    assert {answer.status_code for answer in answers} == {500}
    gate.detector.before = None
    assert (await gate.analyze()).status_code == 200


async def test_one_caller_who_leaves_does_not_take_the_answer_from_the_others(gate):
    go_on = asyncio.Event()
    gate.detector.before = go_on.wait
    leaving = asyncio.create_task(gate.analyze())
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    staying = asyncio.create_task(gate.analyze())
    while (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"] < 2:
        await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.sleep(0.1)
    go_on.set()
    assert (await staying).status_code == 200
    assert len(gate.detector.requests) == 1


async def test_the_work_stops_when_the_last_caller_leaves(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    waiting = [asyncio.create_task(gate.analyze()) for _ in range(3)]
    while (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"] < 3:
        await asyncio.sleep(0.01)
    for one in waiting:
        one.cancel()
    await asyncio.wait_for(gate.detector.cancelled.wait(), 2)


async def test_a_caller_in_a_hurry_does_not_shorten_the_time_of_others(gate):
    go_on = asyncio.Event()
    gate.detector.before = go_on.wait
    hurried = asyncio.create_task(gate.analyze(headers={"x-request-deadline-ms": "300"}))
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    patient = asyncio.create_task(gate.analyze())
    assert (await hurried).status_code == 504
    go_on.set()
    assert (await patient).status_code == 200
    assert (await gate.analyze(headers={"x-request-deadline-ms": "5000"})).status_code == 200
    assert len(gate.detector.requests) == 2


async def test_a_stream_of_a_known_photo_tells_the_same_at_once(gate):
    first = await gate.http.post(
        "/api/analyze-stream", content=b"\xff\xd8\xff" + bytes(9), headers={"content-type": "image/jpeg"}
    )
    again = await gate.http.post(
        "/api/analyze-stream", content=b"\xff\xd8\xff" + bytes(9), headers={"content-type": "image/jpeg"}
    )
    kinds = [line for line in first.text.split("\n") if line.startswith("event: ")]
    assert [line for line in again.text.split("\n") if line.startswith("event: ")] == kinds
    assert len(gate.detector.requests) == 1
