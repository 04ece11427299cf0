"""Fits a photo onto the network's canvas, and maps what was found back."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

_WHITE = np.float32(255)
PAD_GRAY = 114  # what the network saw around photos in training


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a window of a photo lies on the network's canvas.

    Attributes:
        canvas_wh: width and height of the canvas.
        window_xyxy: the part of the photo that is shown, in whole photo pixels.
        inner_wh: the window's size on the canvas.
        offset_xy: left and top padding.
        scale_xy: canvas pixels for each photo pixel; the two differ by rounding only.
    """

    canvas_wh: tuple[int, int]
    window_xyxy: tuple[int, int, int, int]
    inner_wh: tuple[int, int]
    offset_xy: tuple[int, int]
    scale_xy: tuple[float, float]

    @classmethod
    def fitting(cls, width: int, height: int, canvas_wh: tuple[int, int]) -> Self:
        """Center a photo of at least 1 x 1 pixels on the canvas, as large as it fits."""
        return cls.showing((0, 0, width, height), canvas_wh)

    @classmethod
    def showing(cls, window_xyxy: tuple[int, int, int, int], canvas_wh: tuple[int, int]) -> Self:
        """Center a window of at least 1 x 1 pixels on the canvas, as large as it fits."""
        width, height = window_xyxy[2] - window_xyxy[0], window_xyxy[3] - window_xyxy[1]
        scale = min(canvas_wh[0] / width, canvas_wh[1] / height)
        inner_w, inner_h = max(1, round(width * scale)), max(1, round(height * scale))
        offset = ((canvas_wh[0] - inner_w) // 2, (canvas_wh[1] - inner_h) // 2)
        return cls(canvas_wh, window_xyxy, (inner_w, inner_h), offset, (inner_w / width, inner_h / height))

    def to_photo(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map canvas boxes back to photo pixels.

        Args:
            boxes_xyxy: (N, 4) canvas pixels, x_min y_min x_max y_max. N may be 0.

        Returns:
            (N, 4) photo pixels, clipped to the window; a new array.
        """
        inner = np.array([*self.inner_wh, *self.inner_wh], np.float32)
        inside = (boxes_xyxy - self._offset()).clip(0, inner)
        return np.asarray(inside / self._scale() + self._origin(), np.float32)

    def from_photo(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map (N, 4) photo boxes onto the canvas; a new array."""
        return np.asarray((boxes_xyxy - self._origin()) * self._scale() + self._offset(), np.float32)

    def _offset(self) -> NDArray[np.float32]:
        return np.array(self.offset_xy * 2, np.float32)

    def _scale(self) -> NDArray[np.float32]:
        return np.array(self.scale_xy * 2, np.float32)

    def _origin(self) -> NDArray[np.float32]:
        return np.array(self.window_xyxy[:2] * 2, np.float32)

    def image(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Draw the network's input.

        Args:
            rgb: (H, W, 3) uint8, the whole photo.

        Returns:
            (1, 3, height, width) float32 of the canvas, 0..1, gray around the window.
        """
        (left, top), (width, height) = self.offset_xy, self.inner_wh
        x0, y0, x1, y1 = self.window_xyxy
        canvas = np.full((*self.canvas_wh[::-1], 3), PAD_GRAY, np.uint8)
        canvas[top : top + height, left : left + width] = cv2.resize(
            rgb[y0:y1, x0:x1], self.inner_wh, interpolation=cv2.INTER_LINEAR
        )
        planes = np.empty((1, 3, *canvas.shape[:2]), np.float32)
        for channel, plane in enumerate(cv2.split(canvas)):  # ten times as fast as cv2.dnn.blobFromImage
            np.divide(plane, _WHITE, out=planes[0, channel])  # to the bit what training divides
        return planes
