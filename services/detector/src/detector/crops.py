"""The pixels of each hold's box, on the grid of its mask."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.masks import resample


def crop_hold(rgb: NDArray[np.uint8], box_xyxy: NDArray[np.float32], wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Sample a box on a grid of `wh` cells; reduced crops are averaged first, so that they do not alias.

    Args:
        rgb: (H, W, 3) uint8 photo.
        box_xyxy: (4,) photo pixels, inside the photo.
        wh: columns and rows, each at most the box's sides rounded.

    Returns:
        (rows, columns, 3) uint8; a new array.
    """
    x0, y0 = (max(0, math.floor(v)) for v in box_xyxy[:2])
    x1, y1 = (math.ceil(v) for v in box_xyxy[2:])
    window = rgb[y0:y1, x0:x1]
    shrink = max(1, math.floor(min((x1 - x0) / wh[0], (y1 - y0) / wh[1])))
    local = box_xyxy - np.array([x0, y0, x0, y0], np.float32)
    if shrink > 1:
        small = (math.ceil(window.shape[1] / shrink), math.ceil(window.shape[0] / shrink))
        local = local * np.array([small[0] / window.shape[1], small[1] / window.shape[0]] * 2, np.float32)
        window = np.asarray(cv2.resize(window, small, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(resample(window, local, wh), np.uint8)
