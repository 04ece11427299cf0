"""The sample photo end to end through the real services: HTTP, server-sent events and gRPC tell the same."""

import json

import numpy as np
import pytest
from climbmate_client import Analysis, Client, ColorsFound, GrpcClient, HoldsFound, Progress

WANTED_RECALL = 0.9


@pytest.fixture(scope="module")
def climbmate(stack):
    with Client(stack.url) as client:
        yield client


@pytest.fixture(scope="module")
def analysis(climbmate, sample_photo):
    return climbmate.analyze(sample_photo)


def facts(analysis):
    """What does not depend on the moment or on the transport's rounding."""
    return {
        "image": analysis.image,
        "holds": [(hold.id, hold.kind, hold.color.name, hold.problem_id, hold.area_px) for hold in analysis.holds],
        "problems": [(problem.id, problem.color, problem.hold_ids) for problem in analysis.problems],
        "degraded": analysis.degraded,
        "models": analysis.models,
    }


def figures(analysis):
    return np.array([[*hold.box, hold.confidence, hold.color.confidence] for hold in analysis.holds])


def problem_figures(analysis):
    return np.array(
        [
            [problem.confidence, problem.height_span, problem.reach_mean, problem.reach_max, problem.small_share]
            for problem in analysis.problems
        ]
    )


def assert_same(one, other):
    assert facts(one) == facts(other)
    np.testing.assert_allclose(figures(one)[:, :4], figures(other)[:, :4], atol=0.051)  # HTTP rounds to 0.1 pixels
    np.testing.assert_allclose(figures(one)[:, 4:], figures(other)[:, 4:], atol=1e-4)
    for ours, theirs in zip(one.holds, other.holds, strict=True):
        np.testing.assert_allclose(ours.polygon, theirs.polygon, atol=0.051)
    np.testing.assert_allclose(problem_figures(one), problem_figures(other), atol=1e-4)


def test_the_stream_ends_with_the_answer_of_the_plain_request(climbmate, analysis, sample_photo):
    *steps, result = climbmate.stream(sample_photo)
    assert isinstance(result, Analysis)
    assert_same(result, analysis)
    percents = [step.percent for step in steps if isinstance(step, Progress)]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    (found,) = [step for step in steps if isinstance(step, HoldsFound)]
    assert [hold.id for hold in found.holds] == [hold.id for hold in analysis.holds]
    colored = [each for step in steps if isinstance(step, ColorsFound) for each in step.colors]
    assert sorted(each.hold_id for each in colored) == [hold.id for hold in analysis.holds]


def test_grpc_gives_the_answer_of_http(stack, analysis, sample_photo):
    with GrpcClient(stack.grpc_target) as by_grpc:
        assert_same(by_grpc.analyze(sample_photo), analysis)
        *steps, result = by_grpc.stream(sample_photo)
    assert_same(result, analysis)
    assert {type(step) for step in steps} == {Progress, HoldsFound, ColorsFound}


def test_the_same_photo_gives_the_same_answer_again(climbmate, analysis, sample_photo):
    assert_same(climbmate.analyze(sample_photo.read_bytes()), analysis)


def test_the_answer_holds_together(analysis):
    by_id = {hold.id: hold for hold in analysis.holds}
    assert list(by_id) == list(range(len(analysis.holds)))
    assert len(analysis.holds) <= 40, "MAX_HOLDS"
    for problem in analysis.problems:
        assert problem.hold_count == len(problem.hold_ids) >= 3
        assert {by_id[hold_id].color.name for hold_id in problem.hold_ids} == {problem.color}
        assert {by_id[hold_id].problem_id for hold_id in problem.hold_ids} == {problem.id}
    confidences = [hold.confidence for hold in analysis.holds]
    assert confidences == sorted(confidences, reverse=True)
    for hold in analysis.holds:
        x_min, y_min, x_max, y_max = hold.box
        assert 0 <= x_min < x_max <= analysis.image.width
        assert 0 <= y_min < y_max <= analysis.image.height
        assert len(hold.polygon) >= 3


def test_every_service_tells_what_its_work_cost(analysis):
    assert {receipt.service for receipt in analysis.receipts} >= {"detector", "colorizer"}
    for receipt in analysis.receipts:
        assert all(stage.ms >= 0 and stage.memory_after_bytes > 0 for stage in receipt.stages)
    timings = analysis.timings_ms
    assert timings["decode"] + timings["detect"] <= timings["total"]


def iou(box, others):
    """Overlap of one box with (N, 4) others."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=1)
    return both / (np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - both)


def test_nine_in_ten_holds_of_the_sample_are_found(climbmate, sample_photo):
    (truth,) = json.loads(sample_photo.with_suffix(".json").read_text())
    found = np.array([hold.box for hold in climbmate.analyze(sample_photo, max_holds=300).holds])
    wanted = [np.array(hold["box"]) for hold in truth["holds"] if hold["kind"] == "hold"]
    matched = sum(iou(box, found).max() >= 0.5 for box in wanted)
    assert matched >= WANTED_RECALL * len(wanted), f"{matched} of {len(wanted)}"


def test_the_palette_names_every_color_of_an_answer(climbmate, analysis):
    names = {color.name for color in climbmate.palette()}
    assert {hold.color.name for hold in analysis.holds} <= names | {"unknown"}


def test_health_tells_the_memory_of_each_service(climbmate):
    health = climbmate.health()
    assert health.serving
    assert set(health.services) == {"gateway", "detector", "colorizer"}
    assert all(service.memory.used_bytes > 10_000_000 for service in health.services.values())
