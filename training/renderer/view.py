"""Where a photographer stands and what the photo takes in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from training.renderer.camera import Camera, Vector


@dataclass(frozen=True, slots=True)
class View:
    """A camera, the wall point in the photo's middle, the height of the wall's upper edge, the photo's size."""

    camera: Camera
    center: Vector
    top_m: float
    size_wh: tuple[int, int]

    def sees(self, x_m: float, y_m: float, margin: float = 0.01) -> bool:
        """Whether a wall point is in the photo, `margin` of its size from the edge, and between floor and top."""
        u, v = self.camera.project(np.array([[x_m, y_m, 0.0]]))[0] / self.size_wh
        return margin < u < 1 - margin and margin < v < 1 - margin and 0.12 < y_m < self.top_m - 0.08

    def anywhere(self, rng: np.random.Generator) -> tuple[float, float]:
        """A random wall point that `sees` accepts."""
        for _ in range(100):
            pixel = rng.uniform(0.02, 0.98, 2) * self.size_wh
            x_m, y_m = self.camera.on_wall(pixel[None])[0].tolist()
            if self.sees(x_m, y_m):
                return x_m, y_m
        return float(self.center[0]), float(self.center[1])


def draw_view(rng: np.random.Generator, size_wh: tuple[int, int], closeness: float = 1.0) -> View:
    """A hand-held photo of a wall 3 to 5.5 m wide; `closeness` > 1 steps nearer."""
    width, height = size_wh
    short_m = rng.uniform(2.9, 5.2) / closeness
    width_m = short_m * max(1.0, width / height) ** 0.7
    height_m = width_m * height / width
    floor = float(rng.choice([-0.3, rng.uniform(0.02, 0.12)], p=[0.35, 0.65])) * height_m
    hall = float(rng.choice([-0.2, rng.uniform(0.02, 0.2)], p=[0.5, 0.5])) * height_m
    center = np.array([0.0, height_m / 2 - floor, 0.0])
    distance = float(rng.uniform(1.0, 1.7)) * max(width_m, height_m)
    focal = distance * width / width_m
    yaw = float(np.clip(rng.normal(0, 0.16), -0.5, 0.5))
    pitch, roll = float(rng.uniform(-0.08, 0.42)), float(rng.normal(0, 0.025))
    camera = Camera.aimed(center, distance, yaw=yaw, pitch=pitch, roll=roll, focal_px=focal, size_wh=size_wh)
    return View(camera, center, float(center[1] + height_m / 2 * math.cos(pitch) - hall), size_wh)
