"""One look of the network at a photo, or several: the whole, and windows in which small holds are larger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.boxes import Detections, suppress
from detector.letterbox import Letterbox

Tiles = Literal[1, 2, 4]
OVERLAP = 0.2  # of a window's side, which the next one shows, too: nearly every hold lies whole in one of them
EDGE_PX = 2  # canvas pixels; what ends nearer to a window's inner edge is cut by it
SAME_HOLD = 0.45  # IoU of boxes from different looks; within one look `boxes.MAX_OVERLAP` counts

Window = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """What the network saw in one window.

    Attributes:
        letterbox: where the window lies on the canvas.
        found: N detections, most confident first.
        boxes_xyxy: (N, 4) float32 their boxes in photo pixels, each at least a pixel wide and high.
        prototypes: (32, height / 4, width / 4) float32, of the canvas.
    """

    letterbox: Letterbox
    found: Detections
    boxes_xyxy: NDArray[np.float32]
    prototypes: NDArray[np.float32]


def windows(width: int, height: int, tiles: Tiles) -> list[Window]:
    """The whole photo, and for more than one tile the windows: halves of the longer side, or quarters."""
    whole = (0, 0, width, height)
    if tiles == 1:
        return [whole]
    across = 2 if tiles == 4 or width >= height else 1
    spans_x, spans_y = _spans(width, across), _spans(height, tiles // across)
    return [whole, *((x0, y0, x1, y1) for y0, y1 in spans_y for x0, x1 in spans_x)]


def _spans(side: int, count: int) -> list[tuple[int, int]]:
    """One span of the whole side, or two that overlap in the middle."""
    if count == 1:
        return [(0, side)]
    length = max(1, round(side / (2 - OVERLAP)))
    return [(0, length), (side - length, side)]


def look_through(
    letterbox: Letterbox, found: Detections, prototypes: NDArray[np.float32], photo_wh: tuple[int, int]
) -> Look:
    """What was found, in photo pixels, without what lies in the padding or is cut by a window's inner edge."""
    boxes = letterbox.to_photo(found.boxes_xyxy)
    solid = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= 1
    kept = solid & ~_cut(boxes, letterbox, photo_wh)
    return Look(letterbox, found.at(kept), boxes[kept], prototypes)


def _cut(boxes_xyxy: NDArray[np.float32], letterbox: Letterbox, photo_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) whether a box touches an edge of the window that is not the photo's own."""
    x0, y0, x1, y1 = letterbox.window_xyxy
    margin_x, margin_y = (EDGE_PX / scale for scale in letterbox.scale_xy)
    left, top, right, bottom = boxes_xyxy.T
    return np.asarray(
        ((x0 > 0) & (left < x0 + margin_x))
        | ((y0 > 0) & (top < y0 + margin_y))
        | ((x1 < photo_wh[0]) & (right > x1 - margin_x))
        | ((y1 < photo_wh[1]) & (bottom > y1 - margin_y))
    )


def without_duplicates(looks: Sequence[Look]) -> list[Look]:
    """The looks with every hold in one of them only: where it was seen with the most confidence."""
    if len(looks) == 1:
        return list(looks)
    boxes = np.concatenate([look.boxes_xyxy for look in looks])
    kept = np.zeros(len(boxes), np.bool_)
    kept[suppress(boxes, np.concatenate([look.found.confidences for look in looks]), SAME_HOLD)] = True
    parts = np.split(kept, np.cumsum([len(look.found) for look in looks])[:-1])
    return [
        Look(look.letterbox, look.found.at(part), look.boxes_xyxy[part], look.prototypes)
        for look, part in zip(looks, parts, strict=True)
    ]
