"""Average precision of boxes, as COCO counts it."""

import numpy as np
from numpy.typing import NDArray


def overlaps(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, M) IoU of (N, 4) and (M, 4) boxes."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    both = sides.clip(0).prod(axis=2)
    areas = [(x[:, 2:] - x[:, :2]).prod(axis=1) for x in (a, b)]
    return np.asarray(both / (areas[0][:, None] + areas[1][None] - both).clip(1e-9), np.float32)


def match(iou: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """(N,) whether each prediction, best first, takes a truth that no better one took."""
    iou, hits = iou.copy(), np.zeros(len(iou), np.bool_)
    for i in range(len(iou) if iou.shape[1] else 0):
        j = int(iou[i].argmax())
        if iou[i, j] >= threshold:
            hits[i], iou[:, j] = True, -1
    return hits


def average_precision(scores: NDArray[np.float32], hits: NDArray[np.bool_], truths: int) -> float:
    """COCO's 101-point average precision of pooled predictions."""
    found = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    recall, precision = found / max(1, truths), found / np.arange(1, len(found) + 1)
    precision = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0)
    return float(precision[np.searchsorted(recall, np.linspace(0, 1, 101))].mean())
