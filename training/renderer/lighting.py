"""Gym lighting: a few lamps high in front of the wall, plus what the room throws back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer.camera import Frame, Vector
from training.renderer.noise import fractal


@dataclass(frozen=True, slots=True)
class Lamp:
    """A point light: world position in meters and linear RGB power at `reach_m`."""

    position: Vector
    power: Vector
    reach_m: float

    def arriving(self, point: Vector) -> tuple[Vector, Vector]:
        """Unit direction toward the lamp and linear RGB irradiance of a surface that faces it."""
        offset = self.position - point
        distance = float(np.linalg.norm(offset))
        return offset / distance, self.power * (self.reach_m / distance) ** 2


@dataclass(frozen=True, slots=True)
class Lighting:
    """All light of a scene; `shade` is a coarse map of beams' and neighbors' soft shadows over the photo, 0..1."""

    lamps: tuple[Lamp, ...]
    ambient: Vector
    shade: NDArray[np.float32]

    def shade_at(self, u: float, v: float) -> float:
        """Shade at photo position (u, v), both 0..1 of width and height."""
        rows, columns = self.shade.shape
        return float(self.shade[int(np.clip(v * rows, 0, rows - 1)), int(np.clip(u * columns, 0, columns - 1))])

    def on_facet(self, frame: Frame) -> Vector:
        """Linear RGB irradiance of a flat piece of surface."""
        total = self.ambient * (0.75 + 0.25 * frame.out[1])
        for lamp in self.lamps:
            toward, power = lamp.arriving(frame.origin)
            total = total + power * max(0.0, float(toward @ frame.out))
        return np.asarray(total)

    def over_wall(self, wall_xy: NDArray[np.float64]) -> NDArray[np.float32]:
        """Irradiance of wall points (rows, columns, 2) in meters → (rows, columns, 3), shade not applied."""
        points = np.concatenate([wall_xy, np.zeros((*wall_xy.shape[:2], 1))], axis=2)
        total = np.broadcast_to(self.ambient * 0.75, points.shape).copy()
        for lamp in self.lamps:
            offset = lamp.position - points
            distance = np.linalg.norm(offset, axis=2, keepdims=True)
            total += lamp.power * offset[..., 2:] / distance * (lamp.reach_m / distance) ** 2
        return total.astype(np.float32)


def draw_lighting(rng: np.random.Generator, center: Vector) -> Lighting:
    """Lamps over a wall whose middle is `center`; one key light, sometimes a second and a third."""
    warmth = rng.normal(0, 0.07)
    tint = np.array([1 + warmth, 1.0, 1 - 1.3 * warmth])
    lamps = []
    for index in range(int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))):
        place = center + np.array([rng.uniform(-4, 4), rng.uniform(1.6, 5.0), rng.uniform(0.7, 3.4)])
        reach = float(np.linalg.norm(place - center))
        own_tint = tint * (1 + np.array([1, 0, -1]) * rng.normal(0, 0.04))
        lamps.append(Lamp(place, own_tint * (rng.uniform(0.8, 1.1) if index == 0 else rng.uniform(0.2, 0.6)), reach))
    return Lighting(tuple(lamps), tint * rng.uniform(0.14, 0.42), _room_shade(rng))


def _room_shade(rng: np.random.Generator) -> NDArray[np.float32]:
    """Soft shadows of what stands outside the photo: slow variation and now and then a beam's edge."""
    shade = 1 + 0.12 * fractal(rng, (64, 64), 40, octaves=2)
    for _ in range(int(rng.choice([0, 1, 2], p=[0.55, 0.3, 0.15]))):
        band = np.zeros((64, 64), np.float32)
        start, heading = rng.uniform(-10, 74, 2), rng.uniform(0, 2 * np.pi)
        along, across = np.array([np.cos(heading), np.sin(heading)]), np.array([-np.sin(heading), np.cos(heading)])
        width = rng.uniform(4, 30)
        corners = [
            start - 120 * along,
            start + 120 * along,
            start + 120 * along + width * across,
            start - 120 * along + width * across,
        ]
        cv2.fillPoly(band, [np.array(corners).round().astype(np.int32)], 1.0)
        shade *= 1 - np.float32(rng.uniform(0.15, 0.45)) * cv2.GaussianBlur(band, (0, 0), float(rng.uniform(1.0, 4)))
    return np.asarray(np.clip(shade, 0.3, 1.3), np.float32)
