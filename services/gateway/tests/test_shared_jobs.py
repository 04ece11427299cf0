"""Two callers with the same photo share its analysis, and neither can end the other's."""

import asyncio

import pytest

ASYNC = {"prefer": "respond-async"}
PHOTO = b"\xff\xd8\xff\xe0" + bytes(64)


@pytest.fixture
async def gate(open_gate):
    return await open_gate(gateway_remember_s=600.0)


@pytest.fixture
def go_on(gate):
    """The detector waits for it."""
    event = asyncio.Event()
    gate.detector.before = event.wait
    return event


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def in_flight(gate):
    return (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"]


async def until_in_flight(gate, count):
    async with asyncio.timeout(5):
        while await in_flight(gate) != count:
            await asyncio.sleep(0.01)


async def job(gate):
    """The address of a job of one's own."""
    return (await gate.analyze(headers=ASYNC)).headers["location"]


async def ended(gate, address):
    async with asyncio.timeout(5):
        while (report := (await gate.http.get(address)).json())["status"] == "running":
            await asyncio.sleep(0.01)
    return report


async def known(gate, address):
    return (await gate.http.get(address)).status_code == 200


async def streamed(gate):
    """The events of a stream of the same photo, once it has ended."""
    photo = {"content": PHOTO, "headers": {"content-type": "image/jpeg"}}
    return (await gate.http.post("/api/analyze-stream", **photo)).text


async def test_each_has_an_id_of_its_own_for_one_analysis(gate, go_on):
    mine, others = await job(gate), await job(gate)
    assert mine != others
    go_on.set()
    reports = [await ended(gate, mine), await ended(gate, others)]
    assert [report["status"] for report in reports] == ["done", "done"]
    assert [f"/api/jobs/{report['id']}" for report in reports] == [mine, others]
    assert len(gate.detector.requests) == 1


@pytest.mark.parametrize("first_leaves", [True, False])
async def test_of_two_jobs_either_is_deleted_and_the_other_is_answered(gate, go_on, first_leaves):
    addresses = [await job(gate), await job(gate)]
    leaving, staying = addresses if first_leaves else addresses[::-1]
    assert (await gate.http.delete(leaving)).status_code == 204
    assert not await known(gate, leaving)
    assert (await gate.http.get(f"{leaving}/events")).status_code == 404
    go_on.set()
    assert (await ended(gate, staying))["status"] == "done"
    assert len(gate.detector.requests) == 1


@pytest.mark.parametrize("job_first", [True, False])
async def test_a_deleted_job_takes_nothing_from_who_waits_for_the_answer(gate, go_on, job_first):
    address = await job(gate) if job_first else ""
    waiting = asyncio.create_task(gate.analyze())
    await until_in_flight(gate, 1 + job_first)
    address = address or await job(gate)
    assert (await gate.http.delete(address)).status_code == 204
    go_on.set()
    assert (await waiting).status_code == 200
    assert len(gate.detector.requests) == 1


@pytest.mark.parametrize("job_first", [True, False])
async def test_a_deleted_job_takes_nothing_from_a_stream(gate, go_on, job_first):
    address = await job(gate) if job_first else ""
    waiting = asyncio.create_task(streamed(gate))
    await until_in_flight(gate, 1 + job_first)
    address = address or await job(gate)
    await gate.http.delete(address)
    go_on.set()
    told = await waiting
    assert "event: result" in told
    assert "event: error" not in told


async def test_who_follows_a_job_by_its_id_is_told_the_rest_of_it_after_its_end_was_asked_for(gate, go_on):
    address = await job(gate)
    following = asyncio.create_task(gate.http.get(f"{address}/events"))
    await asyncio.sleep(0.1)
    assert (await gate.http.delete(address)).status_code == 204
    assert not await known(gate, address)
    go_on.set()
    assert "event: result" in (await following).text


async def test_the_last_interest_that_ends_stops_the_work(gate, go_on):
    mine, others = await job(gate), await job(gate)
    waiting = asyncio.create_task(gate.analyze())
    await until_in_flight(gate, 3)
    await gate.http.delete(mine)
    waiting.cancel()
    await until_in_flight(gate, 1)
    assert not gate.detector.cancelled.is_set()
    await gate.http.delete(others)
    await asyncio.wait_for(gate.detector.cancelled.wait(), 2)
    assert await in_flight(gate) == 0


async def test_who_comes_after_the_last_one_has_gone_is_not_given_what_is_being_stopped(gate, go_on):
    address = await job(gate)
    await until(lambda: gate.detector.requests)
    deleting = asyncio.create_task(gate.http.delete(address))
    waiting = asyncio.create_task(gate.analyze())
    await deleting
    go_on.set()
    assert (await waiting).status_code == 200


async def test_a_caller_who_leaves_takes_nothing_from_a_kept_job(gate, go_on):
    waiting = asyncio.create_task(gate.analyze())
    await until_in_flight(gate, 1)
    address = await job(gate)
    waiting.cancel()
    await until_in_flight(gate, 1)
    go_on.set()
    assert (await ended(gate, address))["status"] == "done"


async def test_an_ended_job_that_one_deletes_is_known_to_the_other_and_answers_who_asks_the_same(gate):
    mine, others = await job(gate), await job(gate)
    await ended(gate, mine)
    await gate.http.delete(mine)
    assert not await known(gate, mine)
    assert (await ended(gate, others))["status"] == "done"
    await gate.analyze()
    assert len(gate.detector.requests) == 1


async def test_a_result_that_all_have_deleted_is_gone(gate):
    addresses = [await job(gate), await job(gate), (await gate.analyze()).headers["content-location"]]
    for address in addresses:
        assert (await gate.http.delete(address)).status_code == 204
    await gate.analyze()
    assert len(gate.detector.requests) == 2


async def test_a_second_delete_is_not_found(gate):
    address = await job(gate)
    assert [(await gate.http.delete(address)).status_code for _ in range(2)] == [204, 404]


async def test_a_failure_reaches_each_by_its_own_id(gate):
    go_on = asyncio.Event()

    async def fail():
        await go_on.wait()
        raise ValueError("planted")

    gate.detector.before = fail
    mine, others = await job(gate), await job(gate)
    go_on.set()
    reports = [await ended(gate, mine), await ended(gate, others)]
    assert [report["error"]["code"] for report in reports] == ["INTERNAL", "INTERNAL"]
    await gate.http.delete(mine)
    assert await known(gate, others)
