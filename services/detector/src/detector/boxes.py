"""Boxes out of the network's raw output: the confident ones, one for each hold."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

BOX_ROWS = 4  # center x, center y, width, height
KIND_ROWS = 2  # scores of hold and volume; what follows are mask coefficients
MAX_OVERLAP = 0.6  # IoU above which the weaker of two boxes is the same hold, whatever their kinds
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
        boxes[kept], confidences[kept], kinds[kept].astype(np.int64), rows[kept, BOX_ROWS + KIND_ROWS :].copy()
    )


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
