"""Average precision of boxes, as COCO counts it, and what is found at one confidence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTHS = {"small": (0.0, 0.01), "medium": (0.01, 0.05), "large": (0.05, 2.0)}  # shares of the photo's width


@dataclass(frozen=True, slots=True)
class Compared:
    """The predictions for one photo beside its labels.

    Attributes:
        confidences: (N,) float32, descending.
        iou: (N, M) float32 with the photo's M labeled boxes.
        widths: (M,) float32 the labels' shorter sides, as shares of the photo's width.
        predicted_widths: (N,) float32 those of the predictions.
    """

    confidences: NDArray[np.float32]
    iou: NDArray[np.float32]
    widths: NDArray[np.float32]
    predicted_widths: NDArray[np.float32]


def match(iou: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    """(N,) the label that each prediction, best first, takes and no better one took; -1 for none."""
    iou, taken = iou.copy(), np.full(len(iou), -1)
    for i in range(len(iou) if iou.shape[1] else 0):
        j = int(iou[i].argmax())
        if iou[i, j] >= threshold:
            taken[i], iou[:, j] = j, -1
    return taken


def average_precision(
    photos: Sequence[Compared], threshold: float = 0.5, widths: tuple[float, float] = (0, np.inf)
) -> float:
    """COCO's 101-point average precision over all photos, 0..1; 0 where nothing is predicted or labeled.

    Args:
        photos: predictions beside labels.
        threshold: IoU from which on a prediction is right.
        widths: which labels count; predictions that take other labels, or take none and are of another width, are
            left out, as COCO does it for areas.
    """
    labels, scores, hits = 0, [np.zeros(0, np.float32)], [np.zeros(0, np.bool_)]
    for photo in photos:
        wanted, taken = _between(photo.widths, widths), match(photo.iou, threshold)
        counts = np.where(taken >= 0, np.append(wanted, False)[taken], _between(photo.predicted_widths, widths))
        labels += int(wanted.sum())
        scores.append(photo.confidences[counts])
        hits.append(taken[counts] >= 0)
    found = np.cumsum(np.concatenate(hits)[np.argsort(-np.concatenate(scores), kind="stable")])
    recall, precision = found / max(1, labels), found / np.arange(1, len(found) + 1)
    precision = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0)
    return float(precision[np.searchsorted(recall, np.linspace(0, 1, 101))].mean())


def _between(values: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.bool_]:
    return np.asarray((values >= limits[0]) & (values < limits[1]))


def found_at(
    photos: Sequence[Compared], confidence: float, widths: tuple[float, float] = (0, 2)
) -> tuple[float, float]:
    """Precision of all predictions, and recall of the labels whose `widths` lie in the range, at one confidence."""
    claimed = right = wanted = found = 0
    for photo in photos:
        taken = match(photo.iou[photo.confidences >= confidence], 0.5)
        inside = _between(photo.widths, widths)
        claimed, right = claimed + len(taken), right + int((taken >= 0).sum())
        wanted, found = wanted + int(inside.sum()), found + int(inside[taken[taken >= 0]].sum())
    return right / max(1, claimed), found / max(1, wanted)
