"""What a rendered wall shows, exactly: masks of the visible parts, boxes, outlines, colors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer.palette import Rgb

Kind = Literal["hold", "volume"]


@dataclass(frozen=True, slots=True)
class RenderedHold:
    """One visible hold or volume.

    Attributes:
        kind: `hold` or `volume`.
        shape: What it is, for statistics: jug, crimp, sloper, pyramid, ...
        color: Palette name of the material, whatever light and chalk do to it.
        alt: A second name that is also right, or None.
        rgb: sRGB of the material in neutral light.
        hard: The color can hardly be seen: bare wood, or mostly under chalk.
        problem: Number of the boulder problem, None for volumes.
        box_xyxy: Bounds of the mask in photo pixels, x_max and y_max exclusive.
        mask: (y_max - y_min, x_max - x_min) visible pixels inside the box.
    """

    kind: Kind
    shape: str
    color: str
    alt: str | None
    rgb: Rgb
    hard: bool
    problem: int | None
    box_xyxy: tuple[int, int, int, int]
    mask: NDArray[np.bool_]

    @property
    def area_px(self) -> int:
        """Visible pixels."""
        return int(self.mask.sum())

    def polygon(self, tolerance_px: float = 0.4) -> NDArray[np.float32]:
        """(K, 2) outline of the largest visible part in photo pixels; pixel (0, 0) spans 0..1. K >= 4."""
        fine = 4 if max(self.mask.shape) < 400 else 2
        grown = np.pad(self.mask, 1).astype(np.uint8).repeat(fine, axis=0).repeat(fine, axis=1)
        contours, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        outline = cv2.approxPolyDP(max(contours, key=cv2.contourArea), tolerance_px * fine, closed=True)
        if len(outline) < 4:
            outline = cv2.boxPoints(cv2.minAreaRect(outline))
        points = (outline.reshape(-1, 2).astype(np.float32) + 0.5) / fine - 1
        return np.asarray(points + np.array(self.box_xyxy[:2], np.float32), np.float32)


@dataclass(frozen=True, slots=True)
class RenderedWall:
    """A photo and its truth.

    Attributes:
        rgb: (H, W, 3) uint8 sRGB.
        holds: In no particular order; no two masks share a pixel.
        finishes: Names of the wall's two finishes.
    """

    rgb: NDArray[np.uint8]
    holds: tuple[RenderedHold, ...]
    finishes: tuple[str, str]

    def full_mask(self, hold: RenderedHold) -> NDArray[np.bool_]:
        """(H, W) mask of one of `holds` on the photo's grid."""
        mask = np.zeros(self.rgb.shape[:2], np.bool_)
        x_min, y_min, x_max, y_max = hold.box_xyxy
        mask[y_min:y_max, x_min:x_max] = hold.mask
        return mask
