"""Seeded noise fields: smooth blotches, wood grain, speckle."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def smooth(rng: np.random.Generator, shape: tuple[int, int], cell_px: float, *, stretch: float = 1.0) -> Field:
    """Value noise of `shape` (height, width), zero mean, about -1..1.

    Args:
        rng: Source of the lattice.
        shape: Rows and columns of the result.
        cell_px: Distance of the lattice points along y.
        stretch: Distance along x in units of `cell_px`; large values give streaks.
    """
    rows = max(2, round(shape[0] / cell_px) + 1)
    columns = max(2, round(shape[1] / (cell_px * stretch)) + 1)
    lattice = rng.random((min(rows, shape[0]), min(columns, shape[1])), dtype=np.float32) * 2 - 1
    return np.asarray(cv2.resize(lattice, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], cell_px: float, *, octaves: int = 4, stretch: float = 1.0
) -> Field:
    """Octaves of `smooth`, each twice as fine and 0.55 times as strong; about -1..1."""
    total = np.zeros(shape, np.float32)
    weight, sum_of_weights = 1.0, 0.0
    for _ in range(octaves):
        if cell_px < 1:
            break
        total += np.float32(weight) * smooth(rng, shape, cell_px, stretch=stretch)
        sum_of_weights += weight
        weight, cell_px = weight * 0.55, cell_px / 2
    return total / np.float32(max(sum_of_weights, 1e-6))


def speckle(rng: np.random.Generator, shape: tuple[int, int], size_px: float) -> Field:
    """Gaussian grain of about unit variance whose grains are `size_px` wide."""
    small = (max(2, round(shape[0] / max(1.0, size_px))), max(2, round(shape[1] / max(1.0, size_px))))
    grain = rng.standard_normal(small, dtype=np.float32)
    if small == shape:
        return grain
    return np.asarray(cv2.resize(grain, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32) * np.float32(
        1.4
    )


def relief_light(height: Field, strength: float) -> Field:
    """Light on a bumpy surface lit from above: 1 on the flat, brighter where `height` falls toward the bottom."""
    slope = np.zeros_like(height)
    slope[1:] = height[1:] - height[:-1]
    return np.asarray(np.clip(1 + np.float32(strength) * slope, 0.3, 1.8), np.float32)
