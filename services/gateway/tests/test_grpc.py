import asyncio

import grpc
import pytest
from climbmate.analyzer.v1 import analyzer_pb2
from gateway.assembly import REQUEST_COPIES, max_request_bytes
from gateway.settings import GatewaySettings
from servicekit.errors import Overloaded
from servicekit.limits import MAX_PHOTO_BYTES
from servicekit.rich_status import from_rpc_error


async def test_unary_and_http_give_the_same_answer(gate, jpeg):
    http = (await gate.analyze(max_holds=4)).json()
    async with gate.analyzer() as analyzer:
        request = analyzer_pb2.AnalyzePhotoRequest(
            photo=jpeg, options=analyzer_pb2.AnalysisOptions(max_holds=4, min_confidence=0.01)
        )
        answer = await analyzer.AnalyzePhoto(request)
    assert answer.request_id
    assert {"width": answer.photo_size.width, "height": answer.photo_size.height} == http["image"]
    for ours, theirs in zip(answer.holds, http["holds"], strict=True):
        assert ours.hold.id == theirs["id"]
        assert list(ours.hold.polygon.xy) == [value for point in theirs["polygon"] for value in point]
        assert (ours.color.name, ours.problem_id) == (theirs["color"]["name"], theirs["problem_id"])
        assert ours.hold.mask.bits == b"\xff\xff\xff\x00"
    for ours, theirs in zip(answer.problems, http["problems"], strict=True):
        assert (ours.id, ours.color, list(ours.hold_ids)) == (theirs["id"], theirs["color"], theirs["hold_ids"])
        assert [ours.rgb.red, ours.rgb.green, ours.rgb.blue] == theirs["rgb"]
        for fact in ("confidence", "height_span", "reach_mean", "reach_max", "small_share"):
            assert getattr(ours, fact) == pytest.approx(theirs[fact], abs=1e-4)
    assert [model.name for model in answer.models] == ["toy-seg", "toy-clip"]
    assert answer.timings.decode_ms == 21.0
    assert [receipt.service for receipt in answer.receipts] == ["gateway", "detector", "colorizer"]


async def test_the_smallest_problem_is_up_to_the_caller_on_both_faces(gate, jpeg):
    async with gate.analyzer() as analyzer:
        options = analyzer_pb2.AnalysisOptions(min_holds=6)
        answer = await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg, options=options))
    assert not answer.problems
    assert (await gate.analyze(min_holds=6)).json()["problems"] == []
    assert len((await gate.analyze(min_holds=5)).json()["problems"]) == 1


async def test_a_stream_tells_outlines_then_colors_then_the_result(gate, jpeg):
    async with gate.analyzer() as analyzer:
        call = analyzer.StreamAnalysis(analyzer_pb2.StreamAnalysisRequest(photo=jpeg))
        steps = [step async for step in call]
    kinds = [step.WhichOneof("event") for step in steps]
    assert [kind for kind in kinds if kind != "progress"] == ["holds", "colors", "colors", "colors", "result"]
    percents = [step.progress.percent for step in steps if step.HasField("progress")]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len(steps[-1].result.problems) == 1


async def test_without_a_colorizer_colors_are_absent(gate, jpeg):
    async def fail(ids):
        raise RuntimeError("planted")

    gate.colorizer.before = fail
    async with gate.analyzer() as analyzer:
        answer = await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg))
    assert list(answer.degraded) == ["colors"]
    assert not any(hold.HasField("color") for hold in answer.holds)


async def test_a_photo_of_which_a_part_is_lost_is_told(gate, jpeg):
    gate.detector.damaged = True
    async with gate.analyzer() as analyzer:
        answer = await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg))
        steps = analyzer.StreamAnalysis(analyzer_pb2.StreamAnalysisRequest(photo=jpeg))
        last = [step async for step in steps][-1]
    assert list(answer.degraded) == list(last.result.degraded) == ["damaged"]


@pytest.mark.parametrize(
    ("request_fields", "reason"),
    [
        ({"photo": b""}, "INVALID_IMAGE"),
        ({"photo": b"GIF89a"}, "UNSUPPORTED_FORMAT"),
        ({"photo": bytes(MAX_PHOTO_BYTES + 1)}, "IMAGE_TOO_LARGE"),
        ({"options": analyzer_pb2.AnalysisOptions(max_holds=301)}, "INVALID_PARAMETER"),
        ({"options": analyzer_pb2.AnalysisOptions(min_confidence=0)}, "INVALID_PARAMETER"),
        ({"options": analyzer_pb2.AnalysisOptions(min_holds=1)}, "INVALID_PARAMETER"),
        ({"options": analyzer_pb2.AnalysisOptions(min_holds=51)}, "INVALID_PARAMETER"),
        ({"options": analyzer_pb2.AnalysisOptions(min_confidence=float("nan"))}, "INVALID_PARAMETER"),
    ],
)
async def test_bad_input_is_refused_with_its_reason(gate, jpeg, request_fields, reason):
    async with gate.analyzer() as analyzer:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(**{"photo": jpeg, **request_fields}))
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert from_rpc_error(failed.value).reason == reason
    assert gate.detector.requests == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_holds": 301}, {"max_holds": "must be 1 to 300"}),
        ({"min_confidence": 2.0}, {"min_confidence": "must be 0.01 to 1"}),
        ({"min_holds": 51}, {"min_holds": "must be 2 to 50"}),
    ],
)
async def test_a_bad_parameter_is_named_with_what_it_must_be(gate, jpeg, options, told):
    request = analyzer_pb2.AnalyzePhotoRequest(photo=jpeg, options=analyzer_pb2.AnalysisOptions(**options))
    async with gate.analyzer() as analyzer:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await analyzer.AnalyzePhoto(request)
    assert from_rpc_error(failed.value).details == told


async def test_the_detectors_refusal_passes_through_with_its_details(gate, jpeg):
    async def refuse():
        raise Overloaded("planted", retry_after_s=2.5, details={"needed_mb": "12"})

    gate.detector.before = refuse
    async with gate.analyzer() as analyzer:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg))
    error = from_rpc_error(failed.value)
    assert (error.reason, error.retry_after_s, error.details) == ("OVERLOADED", 2.5, {"needed_mb": "12"})


async def test_the_callers_deadline_reaches_the_detector(gate, jpeg):
    gate.detector.before = lambda: asyncio.sleep(60)
    async with gate.analyzer() as analyzer:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg), timeout=0.4)
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(gate.detector.cancelled.wait(), 2)


@pytest.mark.parametrize("method", ["AnalyzePhoto", "StreamAnalysis"])
async def test_a_cancelled_call_stops_the_detector(gate, jpeg, method):
    gate.detector.before = lambda: asyncio.sleep(60)
    async with gate.analyzer() as analyzer:
        request_type = {
            "AnalyzePhoto": analyzer_pb2.AnalyzePhotoRequest,
            "StreamAnalysis": analyzer_pb2.StreamAnalysisRequest,
        }[method]
        call = getattr(analyzer, method)(request_type(photo=jpeg))
        reading = asyncio.ensure_future(
            anext(aiter(call)) if method == "StreamAnalysis" else call.wait_for_connection()
        )
        while not gate.detector.requests:
            await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.wait_for(gate.detector.cancelled.wait(), 2)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_a_photo_counts_five_times_and_is_refused_when_that_would_never_fit(open_gate, jpeg):
    gate = await open_gate(inbox_bytes=2_000_000)
    async with gate.analyzer() as analyzer:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg + bytes(401_000)))
        assert from_rpc_error(failed.value).reason == "IMAGE_TOO_LARGE"
        go_on = asyncio.Event()
        gate.detector.before = go_on.wait
        call = analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg + bytes(390_000)))
        while not gate.detector.requests:
            await asyncio.sleep(0.01)
        assert 1_950_000 < gate.lifecycle.inbox.reserved_bytes < 1_960_000
        go_on.set()
        assert (await call).holds


def test_the_default_inbox_has_room_for_the_largest_photo_however_it_comes():
    assert max_request_bytes(GatewaySettings()) > MAX_PHOTO_BYTES


def test_a_small_inbox_makes_the_largest_request_small():
    assert max_request_bytes(GatewaySettings(inbox_mb=50)) * REQUEST_COPIES == 50_000_000
