"""What painters share while a wall is drawn: the linear picture, who owns which pixel, the camera and the light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer.camera import Camera, Frame, Vector
from training.renderer.lighting import Lighting
from training.renderer.noise import Field


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of photo pixels, max exclusive, inside the photo; may be empty."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return max(0, self.y_max - self.y_min), max(0, self.x_max - self.x_min)

    @property
    def empty(self) -> bool:
        """Nothing of it is in the photo."""
        return 0 in self.shape

    def slices(self) -> tuple[slice, slice]:
        """Index of this window in a photo-sized array."""
        return slice(self.y_min, self.y_max), slice(self.x_min, self.x_max)

    def pixel_centers(self) -> tuple[Field, Field]:
        """Photo x and y of every pixel's center, each of `shape`."""
        x, y = np.meshgrid(
            np.arange(self.x_min, self.x_max, dtype=np.float32) + 0.5,
            np.arange(self.y_min, self.y_max, dtype=np.float32) + 0.5,
        )
        return x, y


@dataclass(frozen=True, slots=True)
class Stage:
    """The picture in the making; `linear` and `owner` are painted in place.

    Attributes:
        linear: (H, W, 3) float32 linear RGB.
        owner: (H, W) int32: number of the hold that is seen at a pixel, -1 for none.
        camera: Where the photo is taken from.
        lighting: The lamps.
    """

    linear: Field
    owner: NDArray[np.int32]
    camera: Camera
    lighting: Lighting

    @property
    def size_wh(self) -> tuple[int, int]:
        """Photo width and height."""
        return self.linear.shape[1], self.linear.shape[0]

    def window(self, low: Vector, high: Vector) -> Window:
        """Bounds (x, y) `low`..`high` in photo pixels, clipped to the photo."""
        width, height = self.size_wh
        return Window(
            int(np.clip(np.floor(low[0]), 0, width)), int(np.clip(np.floor(low[1]), 0, height)),
            int(np.clip(np.ceil(high[0]), 0, width)), int(np.clip(np.ceil(high[1]), 0, height)),
        )  # fmt: skip

    def shade_at(self, point: Vector) -> float:
        """The room's shade at a world point."""
        pixel = self.camera.project(point[None])[0]
        return self.lighting.shade_at(pixel[0] / self.size_wh[0], pixel[1] / self.size_wh[1])

    def lay(self, window: Window, color: Field, cover: Field, owner: int | None = None) -> None:
        """Blend linear `color` (h, w, 3) or (3,) over a window by `cover` (h, w) 0..1; own where it is over half."""
        here = self.linear[window.slices()]
        here += (color - here) * cover[..., None]
        if owner is not None:
            self.owner[window.slices()][cover > 0.5] = owner

    def fill(self, corners: Vector, color: Vector, texture: Field | None = None, owner: int | None = None) -> None:
        """Fill a polygon (N, 2) of photo pixels with a linear color, times `texture` (H, W)."""
        window = self.window(corners.min(axis=0) - 1, corners.max(axis=0) + 1)
        if window.empty:
            return
        cover = polygon_cover(corners, window)
        tone = np.ones(window.shape, np.float32) if texture is None else texture[window.slices()]
        self.lay(window, (tone[..., None] * color).astype(np.float32), cover, owner)

    def dim(self, window: Window, shadow: Field, strength: Vector) -> None:
        """Darken a window: `shadow` (h, w) 0..1 takes away `strength` (3,) of the light."""
        self.linear[window.slices()] *= 1 - shadow[..., None] * strength.astype(np.float32)


def polygon_cover(corners: Vector, window: Window) -> Field:
    """Share 0..1 of each pixel of the window inside a polygon of photo coordinates (N, 2)."""
    bits = 4
    shifted = np.round((corners - [window.x_min + 0.5, window.y_min + 0.5]) * (1 << bits)).astype(np.int32)
    layer = np.zeros(window.shape, np.uint8)
    cv2.fillPoly(layer, [np.clip(shifted, -(1 << 19), 1 << 19)], 255, cv2.LINE_AA, bits)
    return layer.astype(np.float32) / np.float32(255)


def shadow_shift(stage: Stage, frame: Frame, toward: Vector) -> Vector:
    """Photo pixels (2,) that a shadow moves per meter of height, for light from world direction `toward`."""
    local = frame.to_local(toward)
    slide = -local[:2] / max(0.25, float(local[2]))
    return np.asarray(stage.camera.jacobian(frame)[:, :2] @ slide)
