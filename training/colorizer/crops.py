"""Cut holds out of photos: pixels with a margin, and a GrabCut mask of the hold inside its box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LONG_SIDE_PX = 96
"""The detector caps the longer side of a hold's box at this; training sees the same scale."""

MARGIN = 0.35
"""Wall kept around the box, as a share of its sides, so that wrong boxes and masks can be simulated."""

GRABCUT_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class HoldCrop:
    """One hold with its surroundings.

    Attributes:
        rgb: (H, W, 3) uint8, the box and its margin.
        mask: (H, W) bool, the hold, never outside the box.
        box: x_min y_min x_max y_max of the box inside `rgb`, pixels.
        photo: file name of the photo.
    """

    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    box: tuple[int, int, int, int]
    photo: str


def cut(
    photo_rgb: NDArray[np.uint8],
    photo: str,
    box_xyxy: tuple[float, float, float, float],
    photo_mask: NDArray[np.bool_] | None = None,
) -> HoldCrop | None:
    """Cut one box with its margin, scaled so that the box's longer side is at most `LONG_SIDE_PX`.

    Args:
        photo_rgb: (H, W, 3) uint8.
        photo: file name of the photo.
        box_xyxy: photo pixels; may reach past the photo.
        photo_mask: (H, W) the hold where it is known exactly; by default GrabCut finds it.

    Returns:
        The crop, or None when less than 5 x 5 pixels of the box lie on the photo.
    """
    height, width = photo_rgb.shape[:2]
    x0, y0 = max(0, round(box_xyxy[0])), max(0, round(box_xyxy[1]))
    x1, y1 = min(width, round(box_xyxy[2])), min(height, round(box_xyxy[3]))
    if min(x1 - x0, y1 - y0) < 5:
        return None
    pad_x, pad_y = round((x1 - x0) * MARGIN), round((y1 - y0) * MARGIN)
    left, top = max(0, x0 - pad_x), max(0, y0 - pad_y)
    window = np.s_[top : min(height, y1 + pad_y), left : min(width, x1 + pad_x)]
    rgb = photo_rgb[window]
    scale = min(1.0, LONG_SIDE_PX / max(x1 - x0, y1 - y0))
    if scale < 1:
        rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    corners = [round(v * scale) for v in (x0 - left, y0 - top, x1 - left, y1 - top)]
    box = (corners[0], corners[1], min(corners[2], rgb.shape[1]), min(corners[3], rgb.shape[0]))
    if photo_mask is None:
        return HoldCrop(np.ascontiguousarray(rgb), grabcut_mask(rgb, box), box, photo)
    mask = cv2.resize(photo_mask[window].astype(np.uint8), rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return HoldCrop(np.ascontiguousarray(rgb), mask.astype(np.bool_), box, photo) if mask.any() else None


def grabcut_mask(rgb: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Largest part of GrabCut's foreground on Lab colors, seeded with an ellipse in the middle of the box.

    Falls back to the ellipse that touches the box when GrabCut leaves less than 5 % of the box.
    """
    seeds = np.full(rgb.shape[:2], cv2.GC_BGD, np.uint8)
    x0, y0, x1, y1 = box
    seeds[y0:y1, x0:x1] = cv2.GC_PR_FGD
    seeds[ellipse(rgb.shape[:2], box, 0.35)] = cv2.GC_FGD
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    cv2.setRNGSeed(0)
    if (seeds == cv2.GC_BGD).any():
        unused = (0, 0, 0, 0)  # a rectangle is no part of the seeds
        cv2.grabCut(lab, seeds, unused, np.zeros((1, 65)), np.zeros((1, 65)), GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = largest_part((seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD))
    if found.sum() < 0.05 * (x1 - x0) * (y1 - y0):
        return ellipse(rgb.shape[:2], box, 1.0)
    return found


def ellipse(shape: tuple[int, ...], box: tuple[int, int, int, int], share: float) -> NDArray[np.bool_]:
    """The ellipse centered in the box whose axes are `share` of the box's sides, on a (H, W) grid."""
    x0, y0, x1, y1 = box
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    across = (columns + 0.5 - (x0 + x1) / 2) / max(1.0, (x1 - x0) / 2 * share)
    down = (rows + 0.5 - (y0 + y1) / 2) / max(1.0, (y1 - y0) / 2 * share)
    return np.asarray(across**2 + down**2 <= 1)


def largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part of a mask; an empty mask stays empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 1:
        return mask
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))
