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
    rows, columns = np.flatnonzero(core.any(axis=1)), np.flatnonzero(core.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inside = core[window]
    filled = crop_rgb[window].copy()
    median = np.median(filled[inside], axis=0)
    filled[~inside] = median
    red, green, blue = (int(v) for v in median)
    return PreparedCrop(standing(_resized(balanced(filled, light), side_px)), (red, green, blue))


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
    bright = square.sum(axis=2, dtype=np.int64)
    ramp = 2 * np.arange(len(square)) - (len(square) - 1)
    across, down = int(bright.sum(axis=0) @ ramp), int(bright.sum(axis=1) @ ramp)
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
