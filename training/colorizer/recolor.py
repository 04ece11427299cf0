"""Give a hold another color in OKLab: keep its texture, shading, gloss and chalk; move hue, chroma and lightness.

OKLab: Björn Ottosson, "A perceptual color space for image processing", 2020.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LINEAR = np.where(
    np.arange(256) / 255 <= 0.04045, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4
).astype(np.float32)
_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]], np.float32)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]], np.float32)  # fmt: skip
_FROM_LAB = np.linalg.inv(_TO_LAB).astype(np.float32)
_FROM_LMS = np.linalg.inv(_TO_LMS).astype(np.float32)

CHROMATIC = 0.04
"""Chroma above which a hold has a hue of its own; below it, chalk can only be told by lightness."""

CHALK_LIGHTER = 0.2
"""OKLab lightness above the hold's median from which a pixel of a colorless hold counts as chalk."""


def to_linear(rgb: NDArray[np.uint8]) -> Floats:
    """From sRGB bytes (..., 3) to linear light 0..1."""
    return _LINEAR[rgb]


def to_bytes(linear: Floats) -> NDArray[np.uint8]:
    """Linear light to sRGB bytes, clipped into the gamut."""
    clipped = np.clip(linear, 0, 1)
    encoded = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * np.power(clipped, 1 / 2.4) - 0.055)
    return np.asarray(encoded * 255 + 0.5).astype(np.uint8)


def to_oklab(linear: Floats) -> Floats:
    """Linear light (..., 3) to OKLab (..., 3): lightness 0..1, then the green-red and blue-yellow axes."""
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T)


def from_oklab(lab: Floats) -> Floats:
    """OKLab (..., 3) to linear light, which may lie outside 0..1."""
    return np.asarray((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T)


def recolor(pixels: Floats, target: Floats) -> Floats:
    """Move a hold's pixels so that their median becomes the target.

    Each pixel is read as a mixture of the hold's own color and something else on it (chalk, gloss): the share of the
    hold's own color moves to the target's hue and chroma, the rest stays what it was. Lightness is scaled, so shading
    keeps its contrast.

    Args:
        pixels: (N, 3) OKLab of the hold's pixels.
        target: (3,) OKLab.

    Returns:
        (N, 3) OKLab; a new array.
    """
    middle = np.median(pixels, axis=0)
    hue, chroma = middle[1:], float(np.hypot(*middle[1:]))
    if chroma > CHROMATIC:
        own = np.clip(pixels[:, 1:] @ hue / chroma**2, 0, 1.4)
    else:
        own = np.clip(1 - (pixels[:, 0] - middle[0] - CHALK_LIGHTER) / CHALK_LIGHTER, 0, 1)
    rest = pixels[:, 1:] - own[:, None] * hue
    covered = np.clip(own, 0, 1)
    lightness = pixels[:, 0] * (target[0] / max(float(middle[0]), 0.05))
    moved = np.empty_like(pixels)
    moved[:, 0] = covered * lightness + (1 - covered) * np.clip(lightness, pixels[:, 0], 1)
    moved[:, 1:] = own[:, None] * target[1:] + 0.7 * rest
    return moved
