import tracemalloc

import numpy as np
import pytest
from detector.boxes import MAX_DETECTIONS, MAX_OVERLAP, agreed, select, suppress, to_corners


def predictions_of(*rows):
    """(38, N) of (center x, center y, width, height, hold score, volume score); coefficient 0 is the row's number."""
    table = np.zeros((38, len(rows)), np.float32)
    for i, row in enumerate(rows):
        table[:6, i] = row
        table[6, i] = i
    return table


def test_nothing_confident_gives_nothing():
    found = select(predictions_of((50, 50, 10, 10, 0.2, 0.1)), 0.3)
    assert len(found) == 0
    assert found.boxes_xyxy.shape == (0, 4)
    assert found.coefficients.shape == (0, 32)


def test_no_candidates_give_no_indices():
    assert suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)).shape == (0,)


def test_the_better_of_two_boxes_around_one_hold_is_kept_whatever_its_kind():
    found = select(predictions_of((50, 50, 20, 20, 0.5, 0), (51, 50, 20, 20, 0, 0.9), (90, 50, 20, 20, 0.6, 0)), 0.3)
    np.testing.assert_allclose(found.confidences, [0.9, 0.6])
    assert found.kinds.tolist() == [1, 0]
    assert found.coefficients[:, 0].tolist() == [1, 2]


def test_a_hold_is_where_all_that_saw_it_say_together():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 11], [0, 0, 10, 14], [50, 50, 60, 60]], np.float32)
    place = agreed(boxes, np.array([0.8, 0.4, 0.9, 0.5], np.float32), np.array([0, 3]))
    say = np.array([0.8 * 0.3, 0.4 * (10 / 11 - 0.7), 0.9 * (10 / 14 - 0.7)])
    assert place[0] == pytest.approx([0, 0, 10, (say @ [10, 11, 14]) / say.sum()], rel=1e-5)
    assert place[1] == pytest.approx([50, 50, 60, 60], rel=1e-5)


def test_a_box_without_area_stays_where_it_is():
    boxes = np.array([[5, 5, 5, 9], [0, 0, 10, 10]], np.float32)
    assert agreed(boxes, np.ones(2, np.float32), np.arange(2)).tolist() == boxes.tolist()


def test_a_hold_stays_where_it_is_when_another_place_becomes_the_surest():
    boxes = [(50, 50, 20, 20), (51, 50, 20, 20)]
    one, other = (
        select(predictions_of((*boxes[0], score, 0), (*boxes[1], 1.2 - score, 0)), 0.3).boxes_xyxy
        for score in (0.601, 0.599)
    )
    assert np.abs(one - other).max() < 0.25  # and not a whole pixel


def test_asking_all_places_takes_little_memory():
    rng = np.random.default_rng(0)
    boxes = to_corners(rng.uniform(5, 900, (19_000, 4)).astype(np.float32))
    tracemalloc.start()
    agreed(boxes, rng.uniform(0.01, 1, 19_000).astype(np.float32), np.arange(MAX_DETECTIONS))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 10_000_000


def test_every_row_of_the_answer_is_of_one_hold():
    found = select(predictions_of((50, 50, 9, 9, 0.4, 0), (90, 50, 9, 9, 0.8, 0), (20, 50, 9, 9, 0.6, 0)), 0.3)
    assert found.coefficients[:, 0].tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.boxes_xyxy[:, 0], [85.5, 15.5, 45.5])


def test_at_most_three_hundred_are_kept_the_most_confident_ones():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.3, 1, 400)
    found = select(predictions_of(*[(i * 20, 10, 10, 10, score, 0) for i, score in enumerate(scores)]), 0.01)
    assert len(found) == MAX_DETECTIONS
    np.testing.assert_allclose(found.confidences, np.sort(scores)[::-1][:MAX_DETECTIONS], rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_suppression_equals_the_plain_greedy_algorithm(seed):
    rng = np.random.default_rng(seed)
    center = rng.uniform(0, 100, (200, 2))
    boxes = to_corners(np.concatenate([center, rng.uniform(5, 40, (200, 2))], axis=1).astype(np.float32))
    scores = rng.permutation(200).astype(np.float32) / 200 + 0.001
    kept = []
    for i in np.argsort(-scores):
        if all(_iou(boxes[i], boxes[j]) <= MAX_OVERLAP for j in kept):
            kept.append(int(i))
    assert suppress(boxes, scores).tolist() == kept


def _iou(a, b):
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    both = sides.clip(0).prod()
    return both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both)
