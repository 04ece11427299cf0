"""Average precision on cases that can be done in the head."""

import numpy as np
import pytest
from detector.boxes import overlaps

from training.detector.scoring import Compared, average_precision, found_at, match


def a_photo(hits, labels):
    """Predictions in falling confidence, each right about a label of its own or about none."""
    iou = np.zeros((len(hits), labels), np.float32)
    for j, i in enumerate(np.flatnonzero(hits)):
        iou[i, j] = 0.8
    confidences, widths = np.linspace(0.9, 0.1, len(hits), dtype=np.float32), np.linspace(0.005, 0.1, labels)
    return Compared(confidences, iou, widths, np.full(len(hits), 0.005, np.float32))


def test_nothing_predicted_scores_nothing():
    assert overlaps(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)
    assert match(np.zeros((0, 3), np.float32), 0.5).shape == (0,)
    assert match(np.zeros((2, 0), np.float32), 0.5).tolist() == [-1, -1]
    assert average_precision([]) == 0
    assert average_precision([a_photo([], 3)]) == 0
    assert found_at([a_photo([], 3)], 0.3) == (0, 0)


@pytest.mark.parametrize(
    ("hits", "labels", "wanted"),
    [
        ([1, 1], 2, 1.0),
        ([0, 0], 2, 0.0),
        ([1, 0], 2, 51 / 101),
        ([0, 1], 1, 0.5),
        ([1, 0, 1], 2, (51 + 50 * 2 / 3) / 101),
    ],
)
def test_precision_is_averaged_over_101_recalls(hits, labels, wanted):
    assert average_precision([a_photo(hits, labels)]) == pytest.approx(wanted)
    assert average_precision([a_photo(hits, labels)], threshold=0.9) == 0


def test_a_label_is_taken_once_by_the_better_prediction():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], np.float32)
    assert match(overlaps(boxes, boxes[:1]), 0.5).tolist() == [0, -1, -1]


def test_precision_and_recall_at_one_confidence():
    photo = a_photo([1, 0, 1, 1], 3)  # confidences 0.9, 0.63, 0.37, 0.1
    assert found_at([photo], 0.3) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found_at([photo], 0.3, widths=(0, 0.01))[1] == 1
    assert found_at([photo], 0.3, widths=(0.09, 2))[1] == 0


def test_precision_of_some_widths_leaves_out_what_is_about_others():
    photo = a_photo([1, 0, 1], 2)  # a small label found first, something small that is none, then a large label
    assert average_precision([photo], widths=(0, 0.01)) == pytest.approx(1.0)
    assert average_precision([photo], widths=(0.05, 2)) == pytest.approx(1.0)
    missed = a_photo([0, 1], 1)
    assert average_precision([missed], widths=(0, 0.01)) == pytest.approx(0.5)
    assert average_precision([missed], widths=(0.05, 2)) == 0
