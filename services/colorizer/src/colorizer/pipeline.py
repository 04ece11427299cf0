"""From a hold's pixels and mask to the network's input, and from embeddings to names. Pure functions on arrays.

Training uses `core_of` and `prepare_crop` too, so that the network learns from exactly what it is served.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from visionkit.light import NEUTRAL, Light, balanced
from visionkit.masks import erode_core


class UnusableHold(Exception):
    """There is nothing to look at in this hold; the message says why in one short English sentence."""


@dataclass(frozen=True, slots=True)
class PreparedCrop:
    """What is left of a hold for the network.

    Attributes:
        pixels: (S, S, 3) uint8 RGB.
        rgb: median color of the core as photographed, 0 to 255 each.
    """

    pixels: NDArray[np.uint8]
    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Match:
    """A name by its index in the palette, and its softmax share among all names (0 to 1)."""

    index: int
    confidence: float


def core_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The eroded mask, without edges, shadows and neighbors; the mask itself where erosion leaves nothing.

    Args:
        mask: (H, W) bool.

    Raises:
        UnusableHold: No pixel is set.
    """
    if not mask.any():
        raise UnusableHold("The mask is empty.")
    return erode_core(mask)


def prepare_crop(
    crop_rgb: NDArray[np.uint8], core: NDArray[np.bool_], side_px: int, light: Light = NEUTRAL
) -> PreparedCrop:
    """Cut the core's box, fill what is outside the core with its median color, resize to a square, stand it up.

    The median fill leaves one field of color with the hold's own texture in it: no wall, no neighbors, and no made-up
    border that a gray or black hold could be taken for. A color has no aspect ratio, so the square may squash.

    Args:
        crop_rgb: (H, W, 3) uint8.
        core: (H, W) bool with at least one pixel set, from `core_of`.
        side_px: S, the side of the network's input.
        light: the light of the photo, which is taken out of the pixels that the network sees.
    """
    left, top, width, height = cv2.boundingRect(core.view(np.uint8))
    window = np.s_[top : top + height, left : left + width]
    inside, seen = core[window], np.ascontiguousarray(crop_rgb[window])
    median = _median(seen.reshape(-1, 3).take(np.flatnonzero(inside), axis=0))
    filled = np.empty_like(seen)
    filled[0] = median
    filled[1:] = filled[0]  # whole rows, which is ten times as fast as pixels
    cv2.copyTo(seen, inside.view(np.uint8), filled)
    red, green, blue = median.tolist()
    return PreparedCrop(standing(_resized(balanced(filled, light), side_px)), (red, green, blue))


def _median(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(3,) the median of each channel of (N, 3), rounded down; numpy's own takes twice as long for so few."""
    low, high = (len(colors) - 1) // 2, len(colors) // 2
    ordered = np.partition(colors, (low, high), axis=0)
    median: NDArray[np.uint8] = ((ordered[low].astype(np.uint16) + ordered[high]) // 2).astype(np.uint8)
    return median


def _resized(rgb: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Shrink the long sides, then widen the short ones: doing both at once OpenCV shifts pixels to one side."""
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (min(width, side_px), min(height, side_px)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (side_px, side_px), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def standing(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn and flip a square so that it is brighter to the right and below, to the right most of all.

    A hold keeps its color however it is turned: all eight views of it become the same pixels. Whole numbers, so that
    they do exactly.

    Args:
        square: (S, S, 3); the result is a view of it.
    """
    side = len(square)
    ramp = 2 * np.arange(side) - (side - 1)
    values = square.reshape(side, 3 * side)
    columns, rows = (cv2.reduce(values, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() for axis in (0, 1))
    across, down = int(np.repeat(ramp, 3) @ columns), int(ramp @ rows)
    if across < 0:
        square = square[:, ::-1]
    if down < 0:
        square = square[::-1]
    return square.transpose(1, 0, 2) if abs(across) < abs(down) else square


def match(
    embeddings: NDArray[np.float32], prompt_embeddings: NDArray[np.float32], logit_scale: float
) -> list[tuple[Match, ...]]:
    """Softmax of the scaled cosine similarities between holds and prompts.

    Args:
        embeddings: (N, D) L2-normalized. N may be 0.
        prompt_embeddings: (P, D) L2-normalized, one for each name.
        logit_scale: factor on the cosine, the inverse of the temperature.

    Returns:
        For each hold the two best names, the better one first; one where there is only one name.
    """
    if not len(embeddings):
        return []
    logits = embeddings @ prompt_embeddings.T * logit_scale
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = weights / weights.sum(axis=1, keepdims=True)
    best = np.argsort(-shares, axis=1, kind="stable")[:, :2]
    return [tuple(Match(int(i), float(row[i])) for i in two) for row, two in zip(shares, best, strict=True)]
