"""A job goes on without its caller, is polled, and is followed again; what jobs have told is bounded."""

import asyncio
import json
import time

import pytest

ASYNC = {"prefer": "respond-async"}


@pytest.fixture
async def gate(open_gate):
    return await open_gate(gateway_remember_s=600.0)


async def ended(gate, address):
    while (report := (await gate.http.get(address)).json())["status"] == "running":
        await asyncio.sleep(0.01)
    return report


async def events(gate, address, after=None):
    headers = {} if after is None else {"last-event-id": str(after)}
    lines = (await gate.http.get(f"{address}/events", headers=headers)).text.split("\n\n")[:-1]
    return [dict(line.split(": ", 1) for line in event.split("\n")) for event in lines]


async def test_who_would_rather_not_wait_is_given_a_job(gate):
    response = await gate.analyze(headers=ASYNC)
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    assert response.headers["retry-after"] == "1"
    report = await ended(gate, response.headers["location"])
    assert (report["status"], report["percent"]) == ("done", 100)
    assert len(report["result"]["holds"]) == 5


async def test_a_job_tells_how_far_it_is_in_the_callers_language(gate):
    go_on = asyncio.Event()
    gate.detector.before = go_on.wait
    address = (await gate.analyze(headers=ASYNC)).headers["location"]
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    report = await gate.http.get(address, headers={"accept-language": "ko"})
    go_on.set()
    assert report.json() == {
        "id": address.rpartition("/")[2],
        "status": "running",
        "stage": "detecting",
        "percent": 10,
        "message": "홀드를 찾고 있습니다.",
        "events_url": f"{address}/events",
    }
    assert report.headers["retry-after"] == "1"


async def test_a_failed_job_tells_its_error(gate):
    async def fail():
        raise ValueError("secret")

    gate.detector.before = fail
    address = (await gate.analyze(headers=ASYNC)).headers["location"]
    report = await ended(gate, address)
    assert (report["status"], report["error"]["code"]) == ("failed", "INTERNAL")
    told = await events(gate, address)
    assert json.loads(told[-1]["data"])["error"]["code"] == "INTERNAL"


async def test_a_lost_connection_is_taken_up_where_it_broke(gate):
    address = (await gate.analyze(headers=ASYNC)).headers["location"]
    told = await events(gate, address)
    assert [event["id"] for event in told] == [str(number) for number in range(1, len(told) + 1)]
    assert told[-1]["event"] == "result"
    rest = await events(gate, address, after=4)
    assert [event["id"] for event in rest] == [event["id"] for event in told[4:]]


async def test_events_that_outlive_the_framework_are_answered_as_all_is(open_gate):
    gate = await open_gate(gateway_remember_s=600.0, gateway_cors_origins="https://app.example")
    address = (await gate.analyze(headers=ASYNC)).headers["location"]
    headers = (await gate.http.get(f"{address}/events", headers={"origin": "https://app.example"})).headers
    assert headers["access-control-allow-origin"] == "https://app.example"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"].startswith("text/event-stream")


async def test_the_last_follower_of_a_job_that_is_not_kept_stops_it(gate, jpeg):
    gate.colorizer.before = lambda ids: asyncio.sleep(60)
    photo = {"content": jpeg, "headers": {"content-type": "image/jpeg"}}
    async with gate.http.stream("POST", "/api/analyze-stream", **photo) as first:
        events_url = first.headers["content-location"]
        address = events_url.removesuffix("/events")
        second = await gate.http.send(gate.http.build_request("GET", events_url), stream=True)
    await asyncio.sleep(0.1)
    assert (await gate.http.get(address)).json()["status"] == "running"
    await second.aclose()
    while (await gate.http.get(address)).status_code != 404:
        await asyncio.sleep(0.01)


async def test_a_stream_goes_on_without_its_caller_who_comes_back_for_the_rest(gate, jpeg):
    go_on = asyncio.Event()
    gate.colorizer.before = lambda ids: go_on.wait()
    headers = {"content-type": "image/jpeg", **ASYNC}
    async with gate.http.stream("POST", "/api/analyze-stream", content=jpeg, headers=headers) as response:
        address = response.headers["content-location"].removesuffix("/events")
        async for line in response.aiter_lines():
            if line == "event: holds":
                break
    await asyncio.sleep(0.1)
    go_on.set()
    rest = await events(gate, address, after=3)
    assert [event["event"] for event in rest if event["event"] != "progress"] == ["colors"] * 3 + ["result"]


async def test_a_job_can_be_stopped(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    address = (await gate.analyze(headers=ASYNC)).headers["location"]
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    assert (await gate.http.delete(address)).status_code == 204
    await asyncio.wait_for(gate.detector.cancelled.wait(), 2)
    assert (await gate.http.get(address)).status_code == 404


async def test_jobs_count_as_in_flight_once_until_they_end(open_gate):
    gate = await open_gate(gateway_remember_s=600.0, gateway_max_in_flight=1)
    go_on = asyncio.Event()
    gate.detector.before = go_on.wait
    address = (await gate.analyze(headers=ASYNC, max_holds=1)).headers["location"]
    await asyncio.sleep(0.05)
    assert (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"] == 1
    go_on.set()
    await ended(gate, address)
    assert (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"] == 0


@pytest.mark.parametrize("address", ["/api/jobs/x", "/api/jobs/x/events", "/api/jobs/..%2f..%2fetc"])
async def test_an_unknown_job_is_not_found(gate, address):
    response = await gate.http.get(address)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_an_unfit_event_id_is_refused(gate):
    address = (await gate.analyze(headers=ASYNC)).headers["location"]
    response = await gate.http.get(f"{address}/events", headers={"last-event-id": "-1"})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "INVALID_PARAMETER")


async def test_a_stop_of_the_gateway_ends_its_jobs(open_gate):
    gate = await open_gate(gateway_remember_s=600.0)
    gate.detector.before = lambda: asyncio.sleep(60)
    await gate.analyze(headers=ASYNC)
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    gate.lifecycle.stop.set()
    await asyncio.wait_for(gate.detector.cancelled.wait(), 5)


async def test_results_are_bounded_in_bytes_and_the_oldest_go_first(open_gate, hold):
    gate = await open_gate(gateway_remember_s=600.0, gateway_results_mb=1)
    gate.detector.holds = [hold(number) for number in range(300)]
    for one in gate.detector.holds:
        one.hold.polygon.xy.extend([1234.5] * 100)
    addresses = []
    for number in range(4):
        response = await gate.analyze(b"\xff\xd8\xff" + bytes([number]), max_holds=300)
        addresses.append(response.headers["content-location"])
    known = [(await gate.http.get(address)).status_code for address in addresses]
    assert known[-1] == 200
    assert known[0] == 404
    metrics = (await gate.http.get("/metrics")).text
    (kept,) = [float(line.split()[1]) for line in metrics.splitlines() if line.startswith("climbmate_result_bytes ")]
    assert 100_000 < kept <= 1_000_000


async def test_results_that_are_too_many_to_keep_are_answered_all_the_same(open_gate, hold):
    gate = await open_gate(
        gateway_remember_s=600.0, gateway_results_mb=1, request_deadline_s=5.0, gateway_answers_mb=200
    )
    gate.detector.holds = [hold(number) for number in range(300)]
    for one in gate.detector.holds:
        one.hold.polygon.xy.extend([1234.5] * 200)
    photos = [b"\xff\xd8\xff" + bytes([number]) for number in range(6)]
    start_s = time.monotonic()
    answers = await asyncio.gather(*(gate.analyze(photo, max_holds=300) for photo in photos))
    assert [len(answer.json()["holds"]) for answer in answers] == [300] * 6
    last = await gate.http.get(answers[-1].headers["content-location"])
    assert last.status_code in {200, 404}
    assert last.status_code == 404 or last.json()["status"] == "done"
    assert time.monotonic() - start_s < 15  # nobody waited for a deadline
