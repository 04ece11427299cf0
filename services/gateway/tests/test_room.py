"""The gateway takes on no more than it has room for: photos and answers wait, or are refused with a time to retry."""

import asyncio


async def test_more_than_allowed_in_flight_is_refused_with_a_time_to_retry(open_gate):
    gate = await open_gate(gateway_max_in_flight=1)
    go_on = asyncio.Event()
    gate.detector.before = go_on.wait
    first = asyncio.create_task(gate.analyze())
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    second = await gate.analyze()
    go_on.set()
    assert second.status_code == 503
    assert second.headers["retry-after"] == "1"
    assert second.json()["error"]["code"] == "OVERLOADED"
    assert second.json()["error"]["details"]["limit"] == "1"
    assert (await first).status_code == 200
    assert (await gate.analyze()).status_code == 200


async def test_photos_wait_for_room_in_memory(open_gate, jpeg):
    gate = await open_gate(inbox_bytes=2_000_000)
    large = jpeg + bytes(800_000)
    busiest = 0

    async def watch():
        nonlocal busiest
        busiest = max(busiest, len(gate.detector.requests) - finished)
        await asyncio.sleep(0.02)

    finished = 0
    gate.detector.before = watch

    async def one():
        nonlocal finished
        response = await gate.analyze(large)
        finished += 1
        return response.status_code

    assert await asyncio.gather(*(one() for _ in range(4))) == [200] * 4
    assert busiest == 1


async def test_a_photo_that_finds_no_room_is_refused_with_a_time_to_retry(open_gate, jpeg):
    gate = await open_gate(inbox_bytes=2_000_000, gateway_upload_deadline_s=0.3)
    go_on = asyncio.Event()
    gate.detector.before = go_on.wait
    first = asyncio.create_task(gate.analyze(jpeg + bytes(800_000)))
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    second = await gate.analyze(jpeg + bytes(800_000))
    go_on.set()
    assert (second.status_code, second.json()["error"]["code"]) == (503, "OVERLOADED")
    assert second.headers["retry-after"]
    assert (await first).status_code == 200
    assert (await gate.analyze(jpeg + bytes(800_000))).status_code == 200


async def test_a_photo_that_would_never_fit_is_too_large(open_gate, jpeg):
    gate = await open_gate(inbox_bytes=2_000_000)
    response = await gate.analyze(jpeg + bytes(1_100_000))  # held twice
    assert (response.status_code, response.json()["error"]["code"]) == (413, "IMAGE_TOO_LARGE")
    assert (await gate.analyze(jpeg + bytes(900_000))).status_code == 200


async def test_answers_wait_for_room_in_memory(open_gate, gate_busiest):
    """Small photos, but each may be answered with 300 holds, and there is room for one such answer."""
    gate = await open_gate(gateway_answers_mb=22)
    assert await gate_busiest(gate, 4, max_holds=300) == 1


async def test_answers_of_few_holds_do_not_wait_for_one_another(open_gate, gate_busiest):
    gate = await open_gate(gateway_answers_mb=22)
    assert await gate_busiest(gate, 4, max_holds=40) == 4


async def test_room_for_an_answer_is_given_back_when_it_has_turned_out_small(open_gate, hold):
    gate = await open_gate(gateway_answers_mb=22)
    go_on = asyncio.Event()

    async def wait(ids):
        await go_on.wait()

    gate.colorizer.before = wait
    waiting = [asyncio.create_task(gate.analyze(max_holds=300)) for _ in range(3)]
    async with asyncio.timeout(5):
        while len(gate.detector.requests) < 3:  # while none has its colors yet
            await asyncio.sleep(0.01)
    go_on.set()
    assert [response.status_code for response in await asyncio.gather(*waiting)] == [200] * 3
