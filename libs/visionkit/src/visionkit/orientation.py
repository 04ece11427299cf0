"""Turning stored pixels upright."""

import numpy as np
from numpy.typing import NDArray

from visionkit.photo import TRANSPOSING_ORIENTATIONS

_FLIPPED_ROWS = frozenset({3, 4, 7, 8})  # once transposed, where the orientation transposes
_FLIPPED_COLUMNS = frozenset({2, 3, 6, 7})


def upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation.

    Args:
        rgb: (H, W, 3) as stored.
        orientation: 1..8.

    Returns:
        (H, W, 3), or (W, H, 3) for 5 to 8; C-contiguous, `rgb` itself where there is nothing to turn.
    """
    if orientation in TRANSPOSING_ORIENTATIONS:
        rgb = rgb.transpose(1, 0, 2)
    if orientation in _FLIPPED_ROWS:
        rgb = rgb[::-1]
    if orientation in _FLIPPED_COLUMNS:
        rgb = rgb[:, ::-1]
    return np.ascontiguousarray(rgb)
