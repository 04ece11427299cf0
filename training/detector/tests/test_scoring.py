"""Average precision on cases that can be done in the head."""

import numpy as np
import pytest

from training.detector.scoring import average_precision, match, overlaps


def test_nothing_predicted_scores_nothing():
    assert overlaps(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)
    assert match(np.zeros((0, 3), np.float32), 0.5).shape == (0,)
    assert match(np.zeros((2, 0), np.float32), 0.5).tolist() == [False, False]
    assert average_precision(np.zeros(0), np.zeros(0, bool), 3) == 0


@pytest.mark.parametrize(
    ("hits", "truths", "wanted"),
    [
        ([1, 1], 2, 1.0),
        ([0, 0], 2, 0.0),
        ([1, 0], 2, 51 / 101),
        ([0, 1], 1, 0.5),
        ([1, 0, 1], 2, (51 + 50 * 2 / 3) / 101),
    ],
)
def test_precision_is_averaged_over_101_recalls(hits, truths, wanted):
    scores = np.linspace(0.9, 0.1, len(hits))
    assert average_precision(scores, np.array(hits, bool), truths) == pytest.approx(wanted)


def test_a_truth_is_taken_once_by_the_better_prediction():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], np.float32)
    assert match(overlaps(boxes, boxes[:1]), 0.5).tolist() == [True, False, False]
