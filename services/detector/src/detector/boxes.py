"""Boxes out of the network's raw output: the confident ones, one for each hold."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

BOX_ROWS = 4  # center x, center y, width, height
KIND_ROWS = 2  # scores of hold and volume; what follows are mask coefficients
MAX_OVERLAP = 0.5  # IoU above which the weaker of two boxes is the same hold, whatever their kinds
SAME_BOX = 0.7  # IoU from which on a duplicate has a say in where the hold is
AT_ONCE = 8  # boxes that are compared with all candidates: these may be all of the network's 19,000 places
MAX_DETECTIONS = 300


@dataclass(frozen=True, slots=True)
class Detections:
    """What the network found in one square, most confident first; row i of every array is hold i.

    Attributes:
        boxes_xyxy: (N, 4) float32 square pixels.
        confidences: (N,) float32, 0..1, descending.
        kinds: (N,) int64, 0 hold, 1 volume.
        coefficients: (N, 32) float32 weights of the mask prototypes.
    """

    boxes_xyxy: NDArray[np.float32]
    confidences: NDArray[np.float32]
    kinds: NDArray[np.int64]
    coefficients: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.confidences)

    def at(self, chosen: NDArray[np.bool_]) -> "Detections":
        """Those of an (N,) mask, in their order."""
        return Detections(
            self.boxes_xyxy[chosen], self.confidences[chosen], self.kinds[chosen], self.coefficients[chosen]
        )


def select(predictions: NDArray[np.float32], min_confidence: float) -> Detections:
    """Pick the holds out of the network's predictions.

    Args:
        predictions: (4 + 2 + 32, A) float32, one column for each place that the network looks at.
        min_confidence: 0..1; columns whose better kind scores less are left out.

    Returns:
        At most the `MAX_DETECTIONS` most confident, without duplicates. May be empty.
    """
    scores = predictions[BOX_ROWS : BOX_ROWS + KIND_ROWS]
    candidates = np.flatnonzero(scores.max(axis=0) >= min_confidence)
    rows = predictions[:, candidates].T
    kinds = rows[:, BOX_ROWS : BOX_ROWS + KIND_ROWS].argmax(axis=1)
    confidences = rows[:, BOX_ROWS : BOX_ROWS + KIND_ROWS].max(axis=1)
    boxes = to_corners(rows[:, :BOX_ROWS])
    kept = suppress(boxes, confidences)
    return Detections(
        agreed(boxes, confidences, kept),
        confidences[kept],
        kinds[kept].astype(np.int64),
        rows[kept, BOX_ROWS + KIND_ROWS :].copy(),
    )


def agreed(
    boxes_xyxy: NDArray[np.float32], confidences: NDArray[np.float32], kept: NDArray[np.int64]
) -> NDArray[np.float32]:
    """What all that saw a hold say of its box together (box voting, Gidaris and Komodakis 2015, section 3.2).

    Neighboring places see the same hold nearly as well, and which of them is the surest may change with a photo's last
    bits; what they say together hardly does.

    Args:
        boxes_xyxy: (N, 4), duplicates among them.
        confidences: (N,).
        kept: (K,) indices of the boxes that stand for one hold each.

    Returns:
        (K, 4): means of the boxes, weighted by confidence and by how far the IoU exceeds `SAME_BOX`.
    """
    places = np.empty((len(kept), 4), np.float32)
    for start in range(0, len(kept), AT_ONCE):
        some = kept[start : start + AT_ONCE]
        shares = (overlaps(boxes_xyxy[some], boxes_xyxy) - SAME_BOX).clip(0) * confidences
        shares[np.arange(len(some)), some] += np.finfo(
            np.float32
        ).tiny  # a box without area overlaps nothing, itself either
        places[start : start + AT_ONCE] = shares @ boxes_xyxy / shares.sum(axis=1, keepdims=True)
    return places


def overlaps(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, M) IoU of (N, 4) and (M, 4) boxes."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    both = sides.clip(0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (a, b)]
    return np.asarray(both / (areas[0][:, None] + areas[1][None] - both).clip(1e-9), np.float32)


def to_corners(boxes_cxcywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 4) center x, center y, width, height to x_min, y_min, x_max, y_max; a new array."""
    half = boxes_cxcywh[:, 2:] / 2
    return np.concatenate([boxes_cxcywh[:, :2] - half, boxes_cxcywh[:, :2] + half], axis=1)


def suppress(
    boxes_xyxy: NDArray[np.float32], confidences: NDArray[np.float32], max_overlap: float = MAX_OVERLAP
) -> NDArray[np.int64]:
    """Greedy non-maximum suppression whatever the kinds: indices to keep, at most `MAX_DETECTIONS`, best first.

    Args:
        boxes_xyxy: (N, 4). N may be 0.
        confidences: (N,), each above 0.
        max_overlap: IoU above which the weaker of two boxes is dropped.
    """
    if not len(boxes_xyxy):
        return np.zeros(0, np.int64)
    rectangles = np.concatenate([boxes_xyxy[:, :2], boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(rectangles.tolist(), confidences.tolist(), 0.0, max_overlap)
    return np.asarray(kept, np.int64).reshape(-1)[:MAX_DETECTIONS]
