"""Every caller counts as one analysis in flight, once, and no longer than something is done for it."""

import asyncio

import pytest
from climbmate.analyzer.v1 import analyzer_pb2

ASYNC = {"prefer": "respond-async"}
JPEG = {"content-type": "image/jpeg"}
PHOTO = b"\xff\xd8\xff\xe0" + bytes(64)


@pytest.fixture
def go_on():
    return asyncio.Event()


@pytest.fixture
async def open_held(open_gate, go_on):
    """Opens a gateway whose detector waits for `go_on`."""

    async def open_(**settings):
        gate = await open_gate(gateway_remember_s=600.0, **settings)
        gate.detector.before = go_on.wait
        return gate

    return open_


async def in_flight(gate):
    return (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"]


async def until_in_flight(gate, count):
    async with asyncio.timeout(5):
        while await in_flight(gate) != count:
            await asyncio.sleep(0.01)


async def job(gate, photo=PHOTO):
    return (await gate.analyze(photo, headers=ASYNC)).headers["location"]


async def is_full(gate):
    """Whether nobody else is taken on, with a photo of its own."""
    return (await gate.analyze(b"\xff\xd8\xff" + bytes(9), headers=ASYNC)).status_code == 503


async def test_who_waits_for_an_answer_counts_until_it_is_there(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=2)
    waiting = [asyncio.create_task(gate.analyze()) for _ in range(2)]
    await until_in_flight(gate, 2)
    assert await is_full(gate)
    go_on.set()
    await asyncio.gather(*waiting)
    assert await in_flight(gate) == 0


async def test_a_stream_counts_until_it_ends(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=1)
    async with gate.http.stream("POST", "/api/analyze-stream", content=PHOTO, headers=JPEG):
        assert await in_flight(gate) == 1
        assert await is_full(gate)
    await until_in_flight(gate, 0)


async def test_a_kept_job_counts_until_it_ends_and_its_followers_are_part_of_it(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=1)
    address = await job(gate)
    following = [asyncio.create_task(gate.http.get(f"{address}/events")) for _ in range(3)]
    await asyncio.sleep(0.1)
    assert await in_flight(gate) == 1
    assert await is_full(gate)
    go_on.set()
    assert all("event: result" in response.text for response in await asyncio.gather(*following))
    await until_in_flight(gate, 0)


async def test_a_kept_stream_counts_once_with_and_without_its_caller(open_held, go_on):
    gate = await open_held()
    async with gate.http.stream("POST", "/api/analyze-stream", content=PHOTO, headers={**JPEG, **ASYNC}) as response:
        address = response.headers["content-location"]
        assert await in_flight(gate) == 1
    await asyncio.sleep(0.1)
    assert await in_flight(gate) == 1
    again = asyncio.create_task(gate.http.get(address))
    await asyncio.sleep(0.1)
    assert await in_flight(gate) == 1
    go_on.set()
    await again
    await until_in_flight(gate, 0)


async def test_who_joins_a_running_job_to_have_it_kept_counts_too(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=2)
    waiting = asyncio.create_task(gate.analyze())
    await until_in_flight(gate, 1)
    address = await job(gate)
    assert await in_flight(gate) == 2
    assert await is_full(gate)
    waiting.cancel()
    await until_in_flight(gate, 1)  # which runs for the one who joined
    await gate.http.delete(address)
    await until_in_flight(gate, 0)


async def test_many_who_join_and_leave_cannot_have_more_run_than_allowed(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=3)
    for number in range(3):
        photo = PHOTO + bytes([number])
        starts = asyncio.create_task(gate.analyze(photo))
        await until_in_flight(gate, number + 1)
        joined = await gate.analyze(photo, headers=ASYNC)
        starts.cancel()
        assert joined.status_code == (202 if number < 2 else 503)
        await until_in_flight(gate, min(number + 1, 2))


async def test_who_follows_a_job_that_nobody_else_waits_for_keeps_it_and_its_place(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=1)
    async with gate.http.stream("POST", "/api/analyze-stream", content=PHOTO, headers=JPEG) as first:
        address = first.headers["content-location"]
        second = await gate.http.send(gate.http.build_request("GET", address), stream=True)
    await asyncio.sleep(0.1)
    assert await in_flight(gate) == 1
    assert await is_full(gate)
    await second.aclose()
    await until_in_flight(gate, 0)
    assert not await is_full(gate)


async def test_one_who_leaves_is_counted_no_more_though_the_analysis_goes_on(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=2)
    staying = asyncio.create_task(gate.analyze())
    for _ in range(5):
        leaving = asyncio.create_task(gate.analyze())
        await until_in_flight(gate, 2)
        leaving.cancel()
        await until_in_flight(gate, 1)
    go_on.set()
    assert (await staying).status_code == 200


async def test_what_has_ended_is_told_again_without_counting(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=1)
    go_on.set()
    addresses = []
    for _ in range(3):
        addresses.append(await job(gate))
        await until_in_flight(gate, 0)
    for address in addresses:
        assert "event: result" in (await gate.http.get(f"{address}/events")).text
        assert (await gate.http.get(address)).json()["status"] == "done"
    assert await in_flight(gate) == 0


async def test_a_batch_counts_once_until_its_last_line(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=1)
    files = [("image", (f"{number}.jpg", PHOTO + bytes([number]), "image/jpeg")) for number in range(3)]
    waiting = asyncio.create_task(gate.http.post("/api/analyze-batch", files=files))
    async with asyncio.timeout(5):
        while len(gate.detector.requests) < 3:
            await asyncio.sleep(0.01)
    assert await in_flight(gate) == 1
    assert await is_full(gate)
    go_on.set()
    assert '"failed":0' in (await waiting).text
    assert await in_flight(gate) == 0


async def test_a_call_over_grpc_counts_until_it_ends(open_held, go_on):
    gate = await open_held(gateway_max_in_flight=1)
    async with gate.analyzer() as analyzer:
        call = analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=PHOTO))
        await until_in_flight(gate, 1)
        assert await is_full(gate)
        go_on.set()
        await call
    assert await in_flight(gate) == 0


@pytest.mark.parametrize(("photo", "status"), [(b"no photo", 400), (b"GIF89a", 415), (b"", 400)])
async def test_what_is_refused_counts_no_more(open_held, photo, status):
    gate = await open_held(gateway_max_in_flight=1)
    for _ in range(3):
        assert (await gate.analyze(photo, headers=ASYNC)).status_code == status
    assert await in_flight(gate) == 0
