import asyncio
import json
import time

import msgspec
import pytest
from gateway.web import answers
from gateway.web.failures import FailureAnswer
from servicekit.errors import InvalidImage

SHAPES = {
    "progress": answers.ProgressEvent,
    "holds": answers.HoldsEvent,
    "colors": answers.ColorsEvent,
    "result": answers.Analysis,
    "error": FailureAnswer,
}


async def read_events(response):
    """(id, name, data) of every event, as they arrive."""
    fields = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            yield int(fields["id"]), fields["event"], fields["data"]
            fields = {}


async def stream(gate, photo, **headers):
    headers = {"content-type": "image/jpeg", **headers}
    async with gate.http.stream("POST", "/api/analyze-stream", content=photo, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        return [event async for event in read_events(response)]


async def test_outlines_come_before_colors_and_the_result_comes_last(gate, jpeg):
    events = await stream(gate, jpeg)
    names = [name for _, name, _ in events if name != "progress"]
    assert names == ["holds", "colors", "colors", "colors", "result"]
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    for _, name, data in events:
        msgspec.json.decode(data, type=SHAPES[name])


async def test_percent_only_grows_and_ends_at_100(gate, jpeg):
    told = [json.loads(data) for _, name, data in await stream(gate, jpeg) if name == "progress"]
    percents = [progress["percent"] for progress in told]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert list(dict.fromkeys(progress["stage"] for progress in told)) == [
        "received",
        "detecting",
        "coloring",
        "grouping",
        "done",
    ]


async def test_a_wall_without_holds_streams_to_its_end(gate, jpeg):
    gate.detector.holds = []
    events = await stream(gate, jpeg)
    assert [name for _, name, _ in events if name != "progress"] == ["holds", "result"]


async def test_the_result_is_the_same_json_as_without_streaming(gate, jpeg):
    result = json.loads((await stream(gate, jpeg))[-1][2])
    answer = (await gate.analyze()).json()
    for differing in ("request_id", "timings_ms", "receipts"):
        result.pop(differing)
        answer.pop(differing)
    assert result == answer


async def test_a_photo_of_which_a_part_is_lost_is_told_in_the_result(gate, jpeg):
    gate.detector.damaged = True
    assert json.loads((await stream(gate, jpeg))[-1][2])["degraded"] == ["damaged"]


async def test_colors_of_all_chunks_are_those_of_the_result(gate, jpeg):
    events = await stream(gate, jpeg)
    told = {
        one["hold_id"]: one["color"]
        for _, name, data in events
        if name == "colors"
        for one in json.loads(data)["colors"]
    }
    result = json.loads(events[-1][2])
    assert told == {hold["id"]: hold["color"] for hold in result["holds"]}


async def test_outlines_arrive_while_the_colorizer_still_works(gate, jpeg):
    go_on = asyncio.Event()
    gate.colorizer.before = lambda ids: go_on.wait()
    headers = {"content-type": "image/jpeg"}
    async with gate.http.stream("POST", "/api/analyze-stream", content=jpeg, headers=headers) as response:
        async for _, name, _ in read_events(response):
            if name == "holds":
                assert not go_on.is_set()
                go_on.set()
    assert go_on.is_set()


async def test_progress_is_told_in_the_callers_language(gate, jpeg):
    events = await stream(gate, jpeg, **{"accept-language": "ko"})
    assert json.loads(events[0][2])["message"] == "사진을 받았습니다."


@pytest.mark.parametrize("planted", [InvalidImage("The JPEG ends too early."), ValueError("secret")])
async def test_a_failure_is_the_last_event(gate, jpeg, planted):
    async def fail():
        raise planted

    gate.detector.before = fail
    _, name, data = (await stream(gate, jpeg))[-1]
    assert name == "error"
    assert json.loads(data)["error"]["code"] == getattr(planted, "reason", "INTERNAL")
    assert "secret" not in data


async def test_a_late_detector_ends_the_stream_by_its_deadline(gate, jpeg):
    gate.detector.before = lambda: asyncio.sleep(60)
    start_s = time.perf_counter()
    _, name, data = (await stream(gate, jpeg, **{"x-request-deadline-ms": "300"}))[-1]
    assert time.perf_counter() - start_s < 1.3
    assert (name, json.loads(data)["error"]["code"]) == ("error", "DEADLINE_EXCEEDED")


async def test_a_caller_who_leaves_stops_the_colorizer(gate, jpeg):
    gate.colorizer.before = lambda ids: asyncio.sleep(60)
    headers = {"content-type": "image/jpeg"}
    async with gate.http.stream("POST", "/api/analyze-stream", content=jpeg, headers=headers) as response:
        async for _, name, _ in read_events(response):
            if name == "holds":
                break
        while not gate.colorizer.requests:
            await asyncio.sleep(0.01)
    await asyncio.wait_for(gate.colorizer.cancelled.wait(), 2)
    gate.colorizer.before = None
    assert (await stream(gate, jpeg))[-1][1] == "result"


async def test_a_caller_who_does_not_read_is_let_go_after_the_deadline(gate, jpeg, hold):
    gate.detector.holds = [hold(number) for number in range(300)]
    for one in gate.detector.holds:
        one.hold.polygon.xy.extend([1234.5] * 200)
    _, writer = await asyncio.open_unix_connection(gate.http_path, limit=1024)
    head = (
        f"POST /api/analyze-stream?max_holds=300 HTTP/1.1\r\nHost: gateway\r\nContent-Type: image/jpeg\r\n"
        f"X-Request-Deadline-Ms: 500\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    )
    writer.write(head.encode() + jpeg)
    await asyncio.sleep(1.8)
    health = (await gate.http.get("/api/health")).json()
    metrics = (await gate.http.get("/metrics")).text
    writer.transport.abort()
    assert health["services"]["gateway"]["in_flight"] == 0
    assert 'climbmate_http_seconds_count{outcome="CANCELLED",route="/api/analyze-stream"} 1.0' in metrics
