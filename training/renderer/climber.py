"""A climber on the wall or a watcher on the mat: no hold, however colorful, and hides what is behind."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.renderer.camera import Frame, Vector
from training.renderer.noise import Field, fractal
from training.renderer.palette import SHADES, Rgb, to_linear
from training.renderer.stage import Stage, Window, shadow_shift

SKINS: tuple[Rgb, ...] = ((236, 200, 172), (214, 168, 136), (172, 122, 88), (120, 80, 56), (82, 54, 40))
HAIRS: tuple[Rgb, ...] = ((30, 24, 22), (70, 48, 32), (120, 84, 50), (190, 156, 100), (150, 146, 142))
CLOTHS: tuple[Rgb, ...] = (
    (40, 42, 48),
    (28, 30, 34),
    (90, 96, 106),
    (46, 62, 92),
    (216, 214, 208),
    (124, 108, 86),
    (70, 84, 66),
)
DEPTH_M = 0.22


@dataclass(frozen=True, slots=True)
class Limb:
    """A rounded rod between two joints, world meters, with a radius at each end and an sRGB color."""

    start: Vector
    end: Vector
    radii_m: tuple[float, float]
    rgb: Rgb


def _cloth(rng: np.random.Generator) -> Rgb:
    """Mostly dull, now and then as bright as a hold."""
    return SHADES[rng.integers(len(SHADES))].rgb if rng.random() < 0.35 else CLOTHS[rng.integers(len(CLOTHS))]


def draw_climber(rng: np.random.Generator, hips_xy: tuple[float, float]) -> list[Limb]:
    """A person seen from behind, hands up on the wall, knees bent; limbs in painting order."""
    size, lean = rng.uniform(0.88, 1.08), rng.uniform(-0.18, 0.18)
    skin, shirt, trousers = SKINS[rng.integers(len(SKINS))], _cloth(rng), _cloth(rng)
    shoes, hair = _cloth(rng), HAIRS[rng.integers(len(HAIRS))]
    sleeves = shirt if rng.random() < 0.3 else skin
    shins = trousers if rng.random() < 0.65 else skin

    def at(right: float, up: float, out: float = DEPTH_M) -> Vector:
        return np.array([hips_xy[0] + size * (right + lean * up), hips_xy[1] + size * up, out])

    limbs = [Limb(at(0, 0.02), at(0, 0.46, 0.26), (0.15 * size, 0.17 * size), shirt)]
    legs, arms = [], []
    for side in (-1, 1):
        knee = at(side * rng.uniform(0.12, 0.42), rng.uniform(-0.45, -0.2))
        foot = knee + size * np.array([side * rng.uniform(-0.15, 0.15), -rng.uniform(0.3, 0.45), -0.1])
        elbow = at(side * rng.uniform(0.22, 0.48), rng.uniform(0.45, 0.8))
        hand = elbow + size * np.array([side * rng.uniform(-0.2, 0.15), rng.uniform(0.12, 0.3), -0.14])
        legs += [
            Limb(at(side * 0.08, -0.02), knee, (0.095 * size, 0.068 * size), trousers),
            Limb(knee, foot, (0.062 * size, 0.042 * size), shins),
            Limb(foot, foot + size * np.array([side * 0.08, -0.05, -0.02]), (0.045 * size, 0.032 * size), shoes),
        ]
        arms += [
            Limb(at(side * 0.19, 0.47), elbow, (0.058 * size, 0.043 * size), sleeves),
            Limb(elbow, hand, (0.04 * size, 0.03 * size), skin),
            Limb(hand, hand + np.array([0, 0.05 * size, 0]), (0.035 * size, 0.028 * size), skin),
        ]
    head = [
        Limb(at(0, 0.5), at(0, 0.62), (0.06 * size, 0.055 * size), skin),
        Limb(at(0, 0.7), at(0.0, 0.76), (0.095 * size, 0.1 * size), hair),
    ]
    return [*legs, *limbs, *arms, *head]


def paint_climber(rng: np.random.Generator, stage: Stage, limbs: list[Limb]) -> None:
    """Shadow on the wall first, then limb over limb; holds behind lose their hidden pixels."""
    for limb in limbs:
        _shade_wall(stage, limb)
    for limb in limbs:
        ends = stage.camera.project(np.stack([limb.start, limb.end]))
        radii = np.array(limb.radii_m) * _px_per_m(stage, limb)
        window = stage.window(ends.min(axis=0) - radii.max() - 2, ends.max(axis=0) + radii.max() + 2)
        if not window.empty:
            _paint_limb(rng, stage, limb, window, (ends, radii))


def _px_per_m(stage: Stage, limb: Limb) -> float:
    """Photo pixels per meter at a limb."""
    jacobian = stage.camera.jacobian(Frame.on_wall(float(limb.start[0]), float(limb.start[1])))
    return float(np.linalg.norm(jacobian[:, 0]))


def _rod(window: Window, ends: Vector, radii: Vector) -> tuple[Field, Field, Field]:
    """Cover, and the normal's components right and down, of a tapering rod in photo pixels."""
    x, y = window.pixel_centers()
    axis = ends[1] - ends[0]
    along = ((x - ends[0, 0]) * axis[0] + (y - ends[0, 1]) * axis[1]) / (axis @ axis + 1e-6)
    along = np.clip(along, 0, 1)
    right, down = x - ends[0, 0] - along * axis[0], y - ends[0, 1] - along * axis[1]
    radius = radii[0] + (radii[1] - radii[0]) * along
    cover = np.clip(radius - np.hypot(right, down) + 0.5, 0, 1)
    return np.asarray(cover, np.float32), np.asarray(right / radius, np.float32), np.asarray(down / radius, np.float32)


def _paint_limb(
    rng: np.random.Generator, stage: Stage, limb: Limb, window: Window, rod_px: tuple[Vector, Vector]
) -> None:
    cover, right, down = _rod(window, *rod_px)
    folds = fractal(rng, window.shape, max(3.0, float(rod_px[1].mean()) * 0.8), octaves=3)
    right, down = right + 0.22 * folds, down + 0.16 * folds
    out = np.sqrt(np.clip(1 - right * right - down * down, 0.05, 1))
    light = np.broadcast_to((stage.lighting.ambient * 0.8).astype(np.float32), (*window.shape, 3)).copy()
    for lamp in stage.lighting.lamps:
        toward, power = lamp.arriving((limb.start + limb.end) / 2)
        facing = np.clip(right * toward[0] - down * toward[1] + out * toward[2], 0, 1)
        light += np.asarray(facing[..., None] * power, np.float32)
    light *= np.float32(stage.shade_at(limb.start))
    stage.lay(window, np.asarray(light * to_linear(limb.rgb), np.float32), cover, owner=-1)


def _shade_wall(stage: Stage, limb: Limb) -> None:
    """Soft shadow of a limb on the wall behind it."""
    frame = Frame.on_wall(float(limb.start[0]), float(limb.start[1]))
    total = stage.lighting.on_facet(frame)
    radii = np.array(limb.radii_m) * _px_per_m(stage, limb)
    for lamp in stage.lighting.lamps:
        toward, power = lamp.arriving(frame.origin)
        shift = shadow_shift(stage, frame, toward)
        on_wall = np.stack([limb.start, limb.end]) * [1, 1, 0]
        ends = stage.camera.project(on_wall) + shift * np.array([limb.start[2:], limb.end[2:]])
        reach = 2 * float(radii.max()) + 3
        window = stage.window(ends.min(axis=0) - reach, ends.max(axis=0) + reach)
        if not window.empty:
            cover = cv2.GaussianBlur(_rod(window, ends, radii)[0], (0, 0), max(1.0, 0.3 * float(radii.mean())))
            share = power * max(0.0, float(toward[2])) / total
            stage.dim(window, np.asarray(cover, np.float32), share * 0.45)
