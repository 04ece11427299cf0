"""Masks from prototypes, sampled on a grid that covers each hold's box exactly."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from visionkit.masks import to_polygon

from detector.looks import Look

MAX_GRID_SIDE = 96  # cells along a hold's longer side
FINE_BELOW = 40  # smaller grids are outlined on one three times as fine, which keeps small holds round
FINER = 3  # odd, so that every third cell of the fine grid has its center where a cell of the coarse one has
PROTOTYPE_STRIDE = 4  # canvas pixels for each prototype cell


@dataclass(frozen=True, slots=True)
class Outline:
    """The shape of one hold in its box.

    Attributes:
        mask: (h, w) bool, row by row over the box, at least 1 x 1, never all False.
        polygon: (K, 2) float32 x, y as shares of the box's width and height, K >= 3.
        fill: share of the box that the hold covers, above 0 and up to 1.
    """

    mask: NDArray[np.bool_]
    polygon: NDArray[np.float32]
    fill: float


def grid_wh(box_xyxy: NDArray[np.float32]) -> tuple[int, int]:
    """Columns and rows of a box's grid: about one cell for each pixel, the longer side at most `MAX_GRID_SIDE`."""
    width, height = (float(v) for v in box_xyxy[2:] - box_xyxy[:2])
    scale = min(1.0, MAX_GRID_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def outline_holds(look: Look) -> list[Outline]:
    """Outline everything that one look found; the i-th outline belongs to the i-th hold."""
    on_canvas = look.letterbox.from_photo(look.boxes_xyxy) / PROTOTYPE_STRIDE
    return [
        _outline(coefficients, look.prototypes, cells, grid_wh(box))
        for coefficients, cells, box in zip(look.found.coefficients, on_canvas, look.boxes_xyxy, strict=True)
    ]


def _outline(
    coefficients: NDArray[np.float32],
    prototypes: NDArray[np.float32],
    box_xyxy: NDArray[np.float32],
    wh: tuple[int, int],
) -> Outline:
    finer = FINER if max(wh) < FINE_BELOW else 1
    fine = sample_logits(coefficients, prototypes, box_xyxy, (wh[0] * finer, wh[1] * finer)) > 0
    mask = fine[finer // 2 :: finer, finer // 2 :: finer]
    if not mask.any():  # the box is there, its outline is not: the box stands for it
        fine, mask = np.ones_like(fine), np.ones_like(mask)
    polygon = np.asarray(to_polygon(fine) / np.array(fine.shape[::-1], np.float32), np.float32)
    return Outline(np.ascontiguousarray(mask), polygon, float(fine.mean()))


def sample_logits(
    coefficients: NDArray[np.float32],
    prototypes: NDArray[np.float32],
    box_xyxy: NDArray[np.float32],
    wh: tuple[int, int],
) -> NDArray[np.float32]:
    """Mask logits at the centers of a grid's cells, bilinear between prototype cells.

    Args:
        coefficients: (32,).
        prototypes: (32, rows, columns).
        box_xyxy: (4,) what the grid covers, in prototype cells: cell j covers j to j + 1.
        wh: columns and rows of the grid.

    Returns:
        (rows, columns) float32; above 0 is hold.
    """
    x0, y0 = (max(0, math.floor(v) - 1) for v in box_xyxy[:2])
    x1, y1 = (math.ceil(v) + 1 for v in box_xyxy[2:])
    window = prototypes[:, y0:y1, x0:x1]
    logits = (coefficients @ window.reshape(len(window), -1)).reshape(window.shape[1:])
    return resample(logits, box_xyxy - np.array([x0, y0, x0, y0], np.float32), wh)


def resample(
    grid: NDArray[np.float32] | NDArray[np.uint8], box_xyxy: NDArray[np.float32], wh: tuple[int, int]
) -> NDArray[np.float32]:
    """Bilinear values of `grid` at the centers of `wh` cells laid over `box_xyxy`, the border repeated outside.

    Args:
        grid: (H, W) or (H, W, C); cell j covers j to j + 1 of the box's coordinates.
        box_xyxy: (4,) any real numbers.
        wh: columns and rows of the result.

    Returns:
        (rows, columns) or (rows, columns, C), in the dtype of `grid`.
    """
    step_x, step_y = (box_xyxy[2] - box_xyxy[0]) / wh[0], (box_xyxy[3] - box_xyxy[1]) / wh[1]
    to_source = np.array(
        [[step_x, 0, box_xyxy[0] + step_x / 2 - 0.5], [0, step_y, box_xyxy[1] + step_y / 2 - 0.5]], np.float64
    )
    return np.asarray(
        cv2.warpAffine(
            grid, to_source, wh, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
    )
