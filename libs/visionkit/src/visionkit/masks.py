"""Hold masks: packed for the wire, outlined for drawing, eroded for color.

A mask is (H, W) bool, True on the hold, usually in the grid of the hold's own box.
"""

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

MAX_DEVIATION_PX = 1.0  # flattens the staircase of a slanted edge, moves no vertex by more than a pixel
DEVIATION_OF_PERIMETER = 0.02  # and keeps the corners of masks of a few pixels
MIN_KERNEL_PX = 3
KERNEL_OF_SIDE = 10
SMALL_PX = 20  # two erosions with the smallest disc would take more than a tenth from each side


def pack(mask: Mask) -> bytes:
    """Pack a mask into ceil(H * W / 8) bytes: row-major, most significant bit first, rows not padded."""
    return np.packbits(mask).tobytes()


def unpack(bits: bytes, width: int, height: int) -> Mask:
    """Undo `pack`; padding bits at the end are ignored.

    Raises:
        ValueError: A side is negative or `bits` has the wrong length for it.
    """
    count = width * height
    expected = (count + 7) // 8
    if min(width, height) < 0 or len(bits) != expected:
        raise ValueError(f"a {width}x{height} mask takes {expected} bytes, got {len(bits)}")
    flat = np.unpackbits(np.frombuffer(bits, np.uint8), count=count)
    return flat.reshape(height, width).view(np.bool_)


def to_polygon(mask: Mask) -> NDArray[np.float32]:
    """Outline the largest part of a mask, holes filled.

    Coordinates are those of cell edges: the pixel in column x covers x to x + 1, so that the outline of a full
    mask is the box 0, 0, W, H and shifting it by the box's corner gives photo coordinates.

    Returns:
        (K, 2) x, y in 0..W, 0..H, K >= 3, closed implicitly, within about a pixel of the exact outline.

    Raises:
        ValueError: The mask is empty.
    """
    if not mask.any():
        raise ValueError("an empty mask has no outline")
    # In a grid of half pixels a part's left and top rim have even coordinates, its right and bottom rim odd ones:
    # rounding the odd ones up moves every rim onto the cell edge outside it.
    halves = cv2.resize(mask.view(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(halves, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    edges = ((largest + 1) // 2).astype(np.float32)
    return _simplified(edges).reshape(-1, 2)


def erode_core(mask: Mask) -> Mask:
    """Shrink a mask to its core, where neither the wall nor a neighbor leaks into the color.

    Two erosions with a disc of max(3, min(H, W) // 10) pixels, one where the mask is small; what lies outside the array
    counts as wall. A turned or flipped mask has the turned or flipped core. Thin holds would vanish: when nothing is
    left the mask itself is returned.

    Returns:
        (H, W) bool; a new array, or `mask` itself.
    """
    if not mask.size:
        return mask
    side = _disc_px(mask.shape)
    middles = (side // 2, (side - 1) // 2)  # a disc of even size has no middle pixel: once up left, once down right
    core = mask.astype(np.uint8)
    for middle in middles[: _erosions(mask.shape)]:
        core = cv2.erode(
            core, _disc(side), anchor=(middle, middle), borderType=cv2.BORDER_CONSTANT, borderValue=0
        ).astype(np.uint8)
    return core.astype(np.bool_) if core.any() else mask


def eroded_px(shape: tuple[int, ...]) -> float:
    """How far `erode_core` moves the rim of a mask of this shape."""
    return _erosions(shape) * (_disc_px(shape) - 1) / 2


def _erosions(shape: tuple[int, ...]) -> int:
    return 1 if min(shape) < SMALL_PX else 2


def _disc_px(shape: tuple[int, ...]) -> int:
    return max(MIN_KERNEL_PX, min(shape) // KERNEL_OF_SIDE)


@functools.cache  # a mask of 512 pixels has a disc of 51
def _disc(side: int) -> NDArray[np.uint8]:
    """(side, side) 1 inside; OpenCV's own ellipse is not the same when it is turned."""
    off = np.arange(side) - (side - 1) / 2
    return (off**2 + off[:, None] ** 2 <= ((side - 1) / 2) ** 2 + (side - 1) / 4).astype(np.uint8)


def _simplified(contour: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 1, 2) to (K, 1, 2) with fewer vertices, or the contour itself when simplifying flattens it to a line."""
    tolerance_px = min(MAX_DEVIATION_PX, DEVIATION_OF_PERIMETER * cv2.arcLength(contour, closed=True))
    simplified = cv2.approxPolyDP(contour, tolerance_px, closed=True)
    return simplified.astype(np.float32) if len(simplified) >= 3 else contour
