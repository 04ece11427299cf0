"""Outlines from boxes: the labels are boxes, so GrabCut guesses which pixels of a box are the hold."""

import cv2
import numpy as np
from numpy.typing import NDArray

MARGIN = 0.35  # of the box's sides, added around it: what the wall looks like
WORK_SIDE_PX = 72  # GrabCut runs on boxes reduced to this; finer gains nothing at the network's stride of 4
SURE_RADIUS = 0.22  # of the box's sides: the middle ellipse that is certainly hold
PLAUSIBLE_FILL = (0.25, 0.98)  # share of the box that a hold fills; outside it GrabCut has failed


def outline_box(lab: NDArray[np.uint8], box_xyxy: NDArray[np.float32], *, convex: bool) -> NDArray[np.bool_]:
    """Mask of the hold in one box.

    Args:
        lab: (H, W, 3) uint8, the photo in CIE Lab.
        box_xyxy: (4,) pixels, at least 1 px wide and high inside the photo.
        convex: whether dents are to be filled, as volumes have none: their faces differ so much in light that GrabCut
            takes some of them for wall.

    Returns:
        (h, w) bool on the pixel grid of the rounded box; an ellipse where GrabCut finds nothing plausible.
    """
    x0, y0, x1, y1 = inner_pixels(box_xyxy, lab.shape[1], lab.shape[0])
    width, height = x1 - x0, y1 - y0
    dx, dy = max(2, round(width * MARGIN)), max(2, round(height * MARGIN))
    left, top = max(0, x0 - dx), max(0, y0 - dy)
    crop = lab[top : y1 + dy, left : x1 + dx]
    scale = min(1.0, WORK_SIDE_PX / max(width, height))
    if scale < 1:
        crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    inside = _scaled((x0 - left, y0 - top, x1 - left, y1 - top), scale, crop)
    found = _grab_cut(crop, inside)
    if convex:
        found = _convex_hull(found)
    mask = cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR) > 0
    low, high = PLAUSIBLE_FILL
    return mask if low <= mask.mean() <= high else _ellipse(height, width, 0.5)


def inner_pixels(box_xyxy: NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
    """Round a box to whole pixels inside the photo, at least one pixel wide and high."""
    x0, y0 = (int(v) for v in np.floor(box_xyxy[:2]).clip(0, (width - 1, height - 1)))
    x1, y1 = (int(v) for v in np.ceil(box_xyxy[2:]).clip((x0 + 1, y0 + 1), (width, height)))
    return x0, y0, x1, y1


def _scaled(box: tuple[int, int, int, int], scale: float, crop: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round(v * scale) for v in box)
    return x0, y0, min(max(x1, x0 + 1), crop.shape[1]), min(max(y1, y0 + 1), crop.shape[0])


def _grab_cut(crop: NDArray[np.uint8], inside: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Largest part that GrabCut calls foreground, cut to `inside`; all False when it cannot run."""
    x0, y0, x1, y1 = inside
    trimap = np.full(crop.shape[:2], cv2.GC_BGD, np.uint8)
    trimap[y0:y1, x0:x1] = cv2.GC_PR_FGD
    trimap[y0:y1, x0:x1][_ellipse(y1 - y0, x1 - x0, SURE_RADIUS)] = cv2.GC_FGD
    if not (trimap == cv2.GC_BGD).any():  # the box is the whole photo
        return np.zeros((y1 - y0, x1 - x0), np.bool_)
    cv2.setRNGSeed(0)  # GrabCut's color clusters start at random
    cv2.grabCut(crop, trimap, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    return _largest_part((trimap[y0:y1, x0:x1] & 1).astype(np.uint8))


def _largest_part(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(mask)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled > 0


def _convex_hull(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    points = np.argwhere(mask)[:, ::-1].astype(np.int32)
    filled = np.zeros(mask.shape, np.uint8)
    if len(points):
        cv2.fillConvexPoly(filled, cv2.convexHull(points), 1)
    return filled > 0


def _ellipse(height: int, width: int, radius: float) -> NDArray[np.bool_]:
    """(height, width) bool, True inside the middle ellipse whose semi-axes are `radius` of the sides."""
    y, x = np.ogrid[:height, :width]
    u, v = (x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5
    return np.asarray(u * u + v * v <= radius * radius, dtype=np.bool_)
