import asyncio
import json
import time

import msgspec
import pytest
from climbmate.detector.v1 import detector_pb2
from climbmate.hold.v1 import hold_pb2
from gateway.web import answers
from servicekit.errors import Overloaded


async def test_a_photo_becomes_holds_colors_and_problems(gate):
    response = await gate.analyze()
    assert response.status_code == 200
    answer = response.json()
    assert answer["image"] == {"width": 4032, "height": 3024}
    assert answer["holds"][1] == {
        "id": 1,
        "kind": "hold",
        "confidence": 0.9,
        "box": [30.0, 30.0, 38.0, 34.0],
        "polygon": [[30.0, 30.0], [38.0, 30.0], [34.0, 34.0]],
        "area_px": 16,
        "color": {"name": "red", "confidence": 0.97, "rgb": [196, 38, 44]},
        "problem_id": "red-1",
    }
    assert answer["problems"] == [
        {
            "id": "red-1",
            "color": "red",
            "hold_ids": [0, 1, 2, 3, 4],
            "hold_count": 5,
            "box": [10.0, 30.0, 98.0, 34.0],
            "rgb": [196, 38, 44],
            "confidence": 0.873,
            "height_span": 1.0,
            "reach_mean": 5.0,
            "reach_max": 5.0,
            "small_share": 0.0,
        }
    ]
    assert answer["degraded"] == []
    assert answer["models"] == {"detector": "toy-seg 0.1.0", "colorizer": "toy-clip 0.2.0"}
    assert answer["timings_ms"]["decode"] == 21.0
    assert answer["timings_ms"]["detect"] == 60.0
    assert 0 < answer["timings_ms"]["color"] <= answer["timings_ms"]["total"]


async def test_the_answer_has_exactly_the_documented_shape(gate):
    body = (await gate.analyze()).content
    assert msgspec.json.decode(body, type=answers.Analysis).request_id


async def test_every_service_leaves_a_receipt(gate):
    receipts = {receipt["service"]: receipt for receipt in (await gate.analyze()).json()["receipts"]}
    assert [stage["name"] for stage in receipts["gateway"]["stages"]] == ["upload", "detect", "color"]
    assert receipts["detector"]["model_sha256"] == "ab"
    assert receipts["detector"]["stages"][0] == {
        "name": "decode",
        "ms": 21.0,
        "memory_before_bytes": 100,
        "memory_after_bytes": 150,
    }
    assert len(receipts["colorizer"]["stages"]) == 3  # one for each chunk


@pytest.mark.parametrize("field", ["image", "file"])
async def test_a_photo_may_come_as_a_form_field(gate, field, jpeg):
    response = await gate.http.post("/api/analyze", files={field: ("wall.jpg", jpeg, "image/jpeg")})
    assert response.status_code == 200
    assert gate.detector.requests[0].photo == jpeg


async def test_a_photo_may_come_in_pieces_of_unknown_number(gate, jpeg):
    async def pieces():
        for byte in jpeg:
            yield bytes([byte])

    response = await gate.analyze(pieces())
    assert response.status_code == 200
    assert gate.detector.requests[0].photo == jpeg


async def test_options_reach_the_detector(gate):
    answer = (await gate.analyze(max_holds=2, min_confidence=0.01)).json()
    assert len(answer["holds"]) == 2
    request = gate.detector.requests[0]
    assert request.max_holds == 2
    assert request.min_confidence == pytest.approx(0.01)
    assert request.with_crops


async def test_without_options_the_settings_decide(open_gate):
    gate = await open_gate(max_holds=3)
    assert len((await gate.analyze()).json()["holds"]) == 3
    assert gate.detector.requests[0].max_holds == 3
    assert not gate.detector.requests[0].HasField("min_confidence")


async def test_crops_are_scattered_in_chunks_and_each_belongs_to_its_hold(gate):
    await gate.analyze()
    chunks = sorted([crop.hold_id for crop in request.crops] for request in gate.colorizer.requests)
    assert chunks == [[0, 1], [2, 3], [4]]
    for request in gate.colorizer.requests:
        for crop in request.crops:
            assert crop.rgb == bytes([crop.hold_id]) * 96
            assert (crop.mask.width, crop.mask.height, crop.mask.bits) == (8, 4, b"\xff\xff\xff\x00")


async def test_a_wall_without_holds_is_an_answer_with_empty_lists(gate):
    gate.detector.holds = []
    answer = (await gate.analyze()).json()
    assert (answer["holds"], answer["problems"], answer["degraded"]) == ([], [], [])
    assert answer["models"]["colorizer"] is None
    assert gate.colorizer.requests == []


async def test_volumes_are_named_as_such_and_join_no_problem(gate, hold):
    gate.detector.holds = [hold(number, kind=hold_pb2.HOLD_KIND_VOLUME) for number in range(4)]
    answer = (await gate.analyze()).json()
    assert {found["kind"] for found in answer["holds"]} == {"volume"}
    assert answer["problems"] == []


async def test_one_request_id_travels_through_all_services(gate):
    response = await gate.analyze(headers={"x-request-id": "my-own_ID-7"})
    assert response.headers["x-request-id"] == response.json()["request_id"] == "my-own_ID-7"
    assert {*gate.detector.request_ids, *gate.colorizer.request_ids} == {"my-own_ID-7"}


@pytest.mark.parametrize("hostile", ["", "x" * 65, "a b", 'a"}{'])
async def test_an_unfit_request_id_is_replaced(gate, hostile):
    response = await gate.analyze(headers={"x-request-id": hostile})
    assert len(response.headers["x-request-id"]) == 26


async def test_a_detector_that_had_to_look_in_a_smaller_size_is_told(gate):
    gate.detector.reduced_resolution = True
    assert (await gate.analyze()).json()["degraded"] == ["resolution"]


async def test_a_photo_of_which_a_part_is_lost_is_told(gate):
    gate.detector.damaged = True
    assert (await gate.analyze()).json()["degraded"] == ["damaged"]
    assert 'climbmate_degraded_total{what="damaged"} 1.0' in (await gate.http.get("/metrics")).text


async def test_a_failing_chunk_costs_its_own_colors_only(gate):
    async def fail_the_first(ids):
        if 0 in ids:
            raise RuntimeError("planted")

    gate.colorizer.before = fail_the_first
    answer = (await gate.analyze()).json()
    assert answer["degraded"] == ["colors"]
    names = [found["color"]["name"] for found in answer["holds"]]
    assert names == ["unknown", "unknown", "red", "red", "red"]
    assert answer["holds"][0]["color"]["reason"]
    assert [problem["hold_ids"] for problem in answer["problems"]] == [[2, 3, 4]]


async def test_a_full_colorizer_is_asked_once_more(gate):
    asked = []

    async def refuse_once(ids):
        asked.append(ids)
        if len(asked) == 1:
            raise Overloaded("planted", retry_after_s=0.05)

    gate.colorizer.before = refuse_once
    answer = (await gate.analyze()).json()
    assert answer["degraded"] == []
    assert len(asked) == 4


async def test_late_colors_are_left_out_by_the_deadline(gate):
    async def late(ids):
        await asyncio.sleep(60 if 4 in ids else 0)

    gate.colorizer.before = late
    start_s = time.perf_counter()
    response = await gate.analyze(headers={"x-request-deadline-ms": "800"})
    assert time.perf_counter() - start_s < 1.5
    assert response.status_code == 200
    assert response.json()["degraded"] == ["colors"]
    assert [found["color"]["name"] for found in response.json()["holds"]] == ["red"] * 4 + ["unknown"]
    await asyncio.wait_for(gate.colorizer.cancelled.wait(), 2)


async def test_a_late_detector_is_a_deadline_exceeded(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    start_s = time.perf_counter()
    response = await gate.analyze(headers={"x-request-deadline-ms": "400"})
    assert time.perf_counter() - start_s < 1.4
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "DEADLINE_EXCEEDED"
    await asyncio.wait_for(gate.detector.cancelled.wait(), 2)


async def test_the_gateways_own_deadline_is_a_setting(open_gate):
    gate = await open_gate(request_deadline_s=0.3)
    gate.detector.before = lambda: asyncio.sleep(60)
    assert (await gate.analyze()).status_code == 504


async def test_a_caller_who_leaves_stops_the_work(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    leaving = asyncio.create_task(gate.analyze())
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.wait_for(gate.detector.cancelled.wait(), 2)
    gate.detector.before = None
    assert (await gate.analyze()).status_code == 200  # its neighbours are unharmed


async def test_a_bug_is_an_internal_error_without_its_trace(gate):
    async def break_down():
        raise ValueError("secret detail")

    gate.detector.before = break_down
    response = await gate.analyze()
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "INTERNAL"
    assert "secret" not in response.text
    gate.detector.before = None
    assert (await gate.analyze()).status_code == 200


async def test_a_detector_that_answers_nonsense_is_an_internal_error(gate):
    gate.detector.holds = [detector_pb2.DetectedHold(hold=hold_pb2.Hold(polygon=hold_pb2.Polygon(xy=[1.0])))]
    response = await gate.analyze()
    assert response.status_code == 500
    assert json.loads(response.content)["error"]["code"] == "INTERNAL"
    gate.detector.holds = []
    assert (await gate.analyze()).status_code == 200


async def test_colors_of_holds_that_nobody_asked_for_do_not_hide_those_that_lack(gate):
    gate.colorizer.renumber = lambda hold_id: 99 if hold_id == 4 else hold_id
    answer = (await gate.analyze()).json()
    assert answer["degraded"] == ["colors"]
    assert answer["holds"][4]["color"]["name"] == "unknown"
