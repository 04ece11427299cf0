"""What a photo shows besides the wall: mats below, a dark hall above, the edge of a neighboring wall."""

from __future__ import annotations

import numpy as np

from training.renderer.camera import Vector
from training.renderer.noise import fractal, speckle
from training.renderer.palette import Rgb, to_linear
from training.renderer.stage import Stage, polygon_cover

MATS: tuple[Rgb, ...] = (
    (150, 152, 154),
    (168, 170, 172),
    (96, 100, 106),
    (40, 84, 160),
    (46, 48, 52),
    (30, 60, 110),
    (150, 40, 44),
    (120, 132, 120),
)
HALLS: tuple[Rgb, ...] = ((36, 38, 42), (62, 60, 58), (28, 32, 40), (120, 112, 100), (196, 186, 168), (88, 70, 52))


def paint_floor(rng: np.random.Generator, stage: Stage) -> None:
    """Mats from the foot of the wall toward the camera, with seams and folds."""
    near_m = max(0.3, float(stage.camera.position[2]) * 0.55)
    left, right = _edge(stage, 0.0)
    height, width = stage.linear.shape[:2]
    if min(left[1], right[1]) > height:
        return
    below = np.array([left, right, [right[0], 2.0 * height], [left[0], 2.0 * height]])
    color = to_linear(MATS[rng.integers(len(MATS))]) * float(rng.uniform(0.7, 1.1))
    seams = np.arange(-4, 4, 2.0) + rng.uniform(0, 2)
    folds = fractal(rng, (height, width), 0.15 * height, stretch=2.5)
    texture = 1 + 0.1 * folds + 0.03 * speckle(rng, (height, width), 2)
    light = stage.lighting.ambient + 0.55 * sum((lamp.power for lamp in stage.lighting.lamps), np.zeros(3))
    stage.fill(below, color * light, texture.astype(np.float32))
    gap = np.array([0, 0.008 * height])
    _darken(stage, np.array([left, right, right + gap, left + gap]), 0.35)
    for x_m in seams.tolist():
        seam = np.array([[x_m, 0, 0], [x_m + 0.012, 0, 0], [x_m + 0.012, 0, near_m], [x_m, 0, near_m]])
        _darken(stage, stage.camera.project(seam), 0.3)


def _edge(stage: Stage, y_m: float) -> tuple[Vector, Vector]:
    """Photo points of a horizontal line of the wall, a photo's width left and right of the photo."""
    width = stage.size_wh[0]
    start, end = stage.camera.project(np.array([[-1.0, y_m, 0], [1.0, y_m, 0]]))
    slope = (end[1] - start[1]) / (end[0] - start[0])
    x_left, x_right = -1.0 * width, 2.0 * width
    return (
        np.array([x_left, start[1] + slope * (x_left - start[0])]),
        np.array([x_right, start[1] + slope * (x_right - start[0])]),
    )


def _darken(stage: Stage, pixels: Vector, depth: float) -> None:
    """Take `depth` of the light from a polygon (N, 2) of photo pixels."""
    window = stage.window(pixels.min(axis=0) - 1, pixels.max(axis=0) + 1)
    if not window.empty:
        stage.dim(window, polygon_cover(pixels, window), np.full(3, depth))


def paint_hall(rng: np.random.Generator, stage: Stage, top_m: float) -> None:
    """The hall above the wall's upper edge: a dark ceiling with beams, now and then a lamp."""
    left, right = _edge(stage, top_m)
    height, width = stage.linear.shape[:2]
    if max(left[1], right[1]) < 0:
        return
    above = np.array([left, right, [right[0], -height], [left[0], -height]])
    color = to_linear(HALLS[rng.integers(len(HALLS))]) * stage.lighting.ambient * float(rng.uniform(0.5, 1.3))
    texture = 1 + 0.35 * fractal(rng, (height, width), 0.2 * height, stretch=2)
    stage.fill(above, color, np.clip(texture, 0.3, 2).astype(np.float32))
    for _ in range(int(rng.integers(0, 6))):
        _beam(rng, stage, above, color * float(rng.choice([0.35, 2.2])))
    rim = np.array([left, right, right - [0, 0.006 * height], left - [0, 0.006 * height]])
    stage.fill(rim, color * float(rng.choice([0.4, 3.0])))


def _beam(rng: np.random.Generator, stage: Stage, above: Vector, color: Vector) -> None:
    """A beam across the hall, cut off at the wall's edge."""
    height, width = stage.linear.shape[:2]
    x = rng.uniform(0, width)
    edge = float(np.interp(x, [above[0, 0], above[1, 0]], [above[0, 1], above[1, 1]]))
    thick = rng.uniform(0.008, 0.03) * width
    drift = rng.uniform(-0.8, 0.8) * width
    stage.fill(
        np.array([[x, edge - 2], [x + thick, edge - 2], [x + thick + drift, -height], [x + drift, -height]]), color
    )


def paint_neighbor(rng: np.random.Generator, stage: Stage, finish_rgb: Rgb) -> None:
    """A wall without holds that juts out at one side of the photo and hides what is behind it."""
    height, width = stage.linear.shape[:2]
    side = float(rng.choice([-1.0, 1.0]))
    reach = rng.uniform(0.02, 0.09) * width
    low, high = reach * rng.uniform(0.6, 1.4), reach * rng.uniform(0.6, 1.4)
    x = np.array([0 if side < 0 else width] * 2)
    corners = np.array(
        [[x[0] - side * high, 0], [x[0] + side * 9, 0], [x[1] + side * 9, height], [x[1] - side * low, height]]
    )
    light = stage.lighting.ambient + 0.4 * stage.lighting.lamps[0].power
    texture = 1 + 0.06 * fractal(rng, (height, width), 0.1 * height) + 0.03 * speckle(rng, (height, width), 1.5)
    stage.fill(
        corners, to_linear(finish_rgb) * light * float(rng.uniform(0.5, 1.1)), texture.astype(np.float32), owner=-1
    )
