"""One hold: a height field on the wall, lit, chalked, bolted on, with its shadow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from training.renderer.camera import Frame, Vector
from training.renderer.forms import Form
from training.renderer.noise import Field, fractal, speckle
from training.renderer.palette import Shade, to_linear
from training.renderer.stage import Stage, Window, shadow_shift

CHALK = np.array([0.74, 0.74, 0.73], np.float32)
DUST = np.array([0.33, 0.32, 0.3], np.float32)
SHADOW_STEPS = 5


@dataclass(frozen=True, slots=True)
class PlacedHold:
    """A hold where it is screwed on.

    Attributes:
        frame: Tangent frame at its middle.
        form: Shape.
        half_m: Half its size.
        turn: Rotation about the frame's normal, radians.
        shade: Color.
        gloss: 0 raw resin .. 1 polished.
        chalk: 0 brushed .. 1 white with chalk.
        patina: Share 0..1 of the color that dust and wear have grayed.
        facet_light: Brightness of the facet it sits on.
        problem: Number of its boulder problem.
    """

    frame: Frame
    form: Form
    half_m: float
    turn: float
    shade: Shade
    gloss: float
    chalk: float
    patina: float
    facet_light: float
    problem: int

    def below_m(self) -> float:
        """Meters from the middle straight down to the lower edge of the outline."""
        away = np.linspace(0, 1.4, 57, dtype=np.float32)[None]
        gauge = self.form.gauge(-away * np.float32(math.sin(self.turn)), -away * np.float32(math.cos(self.turn)))
        inside = away[gauge < 1]
        return self.half_m * (float(inside.max()) if inside.size else 0.3)


@dataclass(frozen=True, slots=True)
class _Relief:
    """The hold in one window: where it covers, how high it is (px), its slope normals (h, w, 3) and local u, v."""

    window: Window
    cover: Field
    height_px: Field
    normal: Field
    u: Field
    v: Field
    half_px: float


def paint_hold(rng: np.random.Generator, stage: Stage, hold: PlacedHold, owner: int) -> None:
    """Paint shadow and hold over what is there; its pixels belong to `owner` afterwards."""
    relief = _relief(rng, stage, hold)
    if relief is None:
        return
    _cast_shadow(rng, stage, hold, relief)
    color = _lit(stage, hold, relief, _albedo(rng, hold, relief))
    stage.lay(relief.window, color, relief.cover, owner)


def _relief(rng: np.random.Generator, stage: Stage, hold: PlacedHold) -> _Relief | None:
    """Evaluate the form on the photo's pixels; None when it is outside the photo."""
    jacobian = stage.camera.jacobian(hold.frame)
    cosine, sine = math.cos(hold.turn), math.sin(hold.turn)
    to_px = jacobian[:, :2] @ np.array([[cosine, -sine], [sine, cosine]]) * hold.half_m
    middle = stage.camera.project(hold.frame.origin[None])[0]
    half = np.linalg.norm(to_px, axis=1) * hold.form.reach * 1.12 + 2
    window = stage.window(middle - half, middle + half)
    if window.empty:
        return None
    to_uv = np.linalg.inv(to_px).astype(np.float32)
    x, y = window.pixel_centers()
    x, y = x - np.float32(middle[0]), y - np.float32(middle[1])
    half_px = math.sqrt(abs(np.linalg.det(to_px)))
    u, v = to_uv[0, 0] * x + to_uv[0, 1] * y, to_uv[1, 0] * x + to_uv[1, 1] * y
    ripple = np.float32(0.035) * fractal(rng, window.shape, max(3.0, half_px * 0.5), octaves=2)
    outline = hold.form.gauge(u + ripple, v - ripple)
    lean = to_uv @ (jacobian[:, 2] * hold.half_m * hold.form.relief).astype(np.float32)
    lean *= min(1.0, 0.45 / (float(np.linalg.norm(lean)) + 1e-6))
    inside = np.clip(1 - outline, 0, 1)
    u, v = u - lean[0] * inside, v - lean[1] * inside
    gauge = hold.form.gauge(u + ripple, v - ripple)
    height = hold.form.height(u, v, gauge).astype(np.float32) * np.float32(hold.form.relief * half_px)
    height = np.where(outline < 1, height, 0) + _dents(rng, window, half_px)
    return _Relief(window, _cover(outline), height, _normals(height, half_px), u, v, half_px)


def _dents(rng: np.random.Generator, window: Window, half_px: float) -> Field:
    """Unevenness of a cast surface, pixels."""
    return np.float32(0.02 * half_px * rng.uniform(0.3, 2)) * fractal(
        rng, window.shape, max(3.0, half_px * 0.35), octaves=3
    )


def _cover(outline: Field) -> Field:
    """Antialiased inside of `outline` < 1."""
    steep_y, steep_x = (
        np.gradient(outline) if min(outline.shape) > 1 else (np.ones_like(outline), np.ones_like(outline))
    )
    steep = np.maximum(np.hypot(steep_x, steep_y), 1e-4)
    return np.clip(0.5 + (1 - outline) / steep, 0, 1).astype(np.float32)


def _normals(height_px: Field, half_px: float) -> Field:
    """(h, w, 3) unit normals, right, up and out, of a height field in pixels."""
    smooth = cv2.GaussianBlur(height_px, (0, 0), max(0.5, 0.025 * half_px))
    right = -cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    up = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    length = np.sqrt(right * right + up * up + 1)
    return np.asarray(cv2.merge([right / length, up / length, 1 / length]), np.float32)


def _albedo(rng: np.random.Generator, hold: PlacedHold, relief: _Relief) -> Field:
    """Linear reflectance (h, w, 3): resin with grain, rubber, chalk where hands go, the bolt."""
    shape = relief.window.shape
    grain = 1 + np.float32(rng.uniform(0.01, 0.06)) * speckle(rng, shape, max(1.0, relief.half_px * 0.02))
    stain = 1 - np.float32(rng.uniform(0, 0.25)) * np.clip(fractal(rng, shape, max(3.0, relief.half_px * 0.6)), 0, 1)
    resin = to_linear(hold.shade.rgb)
    resin = resin + (DUST - resin) * np.float32(hold.patina)
    albedo = (grain * stain)[..., None] * resin
    patches = fractal(rng, shape, max(3.0, relief.half_px * 0.4), octaves=4)
    grip = 0.9 * relief.normal[..., 1] + 0.5 * np.exp(-(relief.u**2 + (relief.v - 0.3) ** 2) / 0.35) - 0.55
    chalk = np.clip((grip + 0.9 * patches + 0.8 * hold.chalk - 0.3) * 0.9, 0, 1) * np.float32(min(0.85, hold.chalk))
    albedo += (CHALK - albedo) * chalk[..., None].astype(np.float32)
    return np.asarray(_bolted(rng, hold, relief, albedo), np.float32)


def _bolted(rng: np.random.Generator, hold: PlacedHold, relief: _Relief, albedo: Field) -> Field:
    """Sink the bolt: a dark hole with a paler washer; small chips often have only a screw head."""
    radius = min(0.0105 / hold.half_m, 0.16 if hold.form.name == "foot" else 0.26)
    crest = np.hypot(relief.u - rng.normal(0, 0.06), relief.v - rng.normal(0, 0.06)) / np.float32(radius)
    washer = np.clip((1.45 - crest) * 4, 0, 1)[..., None] * np.float32(rng.uniform(0, 0.5))
    albedo = albedo + (albedo * 0.4 + 0.16 - albedo) * washer
    hole = np.clip((1 - crest) * 3, 0, 1)[..., None]
    return np.asarray(albedo * (1 - hole * np.float32(rng.uniform(0.6, 0.95))), np.float32)


def _lit(stage: Stage, hold: PlacedHold, relief: _Relief, albedo: Field) -> Field:
    """Linear RGB (h, w, 3) under the lamps and the room's light."""
    normal, shade = relief.normal, stage.shade_at(hold.frame.origin)
    cavity = cv2.GaussianBlur(relief.height_px, (0, 0), max(1.0, 0.16 * relief.half_px)) - relief.height_px
    open_sky = 1 / (1 + np.clip(cavity / (0.07 * relief.half_px), 0, 6) ** 1.3)
    room = (0.62 + 0.22 * normal[..., 2] + 0.16 * normal[..., 1]) * open_sky
    color = albedo * (room[..., None] * stage.lighting.ambient.astype(np.float32))
    view = hold.frame.to_local(stage.camera.position - hold.frame.origin)
    view /= np.linalg.norm(view)
    sharp, strength = 8 + 90 * hold.gloss**1.5, 0.015 + 0.4 * hold.gloss**2
    for lamp in stage.lighting.lamps:
        toward, power = lamp.arriving(hold.frame.origin)
        light = hold.frame.to_local(toward)
        facing = (np.clip(normal @ light.astype(np.float32), -0.08, 1) + 0.08) / 1.08
        half_way = (light + view) / np.linalg.norm(light + view)
        glint = np.clip(normal @ half_way.astype(np.float32), 0, 1) ** np.float32(sharp) * np.float32(strength)
        shine = albedo * (facing * (0.35 + 0.65 * open_sky))[..., None] + (glint * open_sky)[..., None]
        color += shine * power.astype(np.float32)
    return np.asarray(color * np.float32(shade * hold.facet_light), np.float32)


@dataclass(frozen=True, slots=True)
class _Shadow:
    """One shadow: how far it moves per pixel of height, how much light it takes (RGB), its penumbra in pixels."""

    shift: Vector
    strength: Vector
    blur_px: float


def _cast_shadow(rng: np.random.Generator, stage: Stage, hold: PlacedHold, relief: _Relief) -> None:
    """Shadows of every lamp on whatever lies around, and the dark seam where hold meets wall."""
    total = stage.lighting.on_facet(hold.frame)
    solid = np.where(relief.cover > 0.5, np.maximum(relief.height_px, 0), 0).astype(np.float32)
    px_per_m = relief.half_px / hold.half_m
    for lamp in stage.lighting.lamps:
        toward, power = lamp.arriving(hold.frame.origin)
        share = power * max(0.0, float(toward @ hold.frame.out)) / total
        shift = shadow_shift(stage, hold.frame, toward) / px_per_m
        _drop_shadow(stage, relief, solid, _Shadow(shift, share * 0.92, 0.012 * px_per_m))
    seam = _Shadow(np.zeros(2), np.array([0.4, 0.4, 0.38]) * float(rng.uniform(0.6, 1.2)), 0.1 * relief.half_px)
    _drop_shadow(stage, relief, np.minimum(solid, 0.1), seam)


def _drop_shadow(stage: Stage, relief: _Relief, solid: Field, shadow: _Shadow) -> None:
    """Sweep the height field's level sets along the shift, soften, darken the stage."""
    top, old = float(solid.max()), relief.window
    reach = np.abs(shadow.shift) * top + 3 * shadow.blur_px + 2
    window = stage.window(np.array([old.x_min, old.y_min]) - reach, np.array([old.x_max, old.y_max]) + reach)
    dark = np.zeros(window.shape, np.float32)
    steps = SHADOW_STEPS if top * float(np.abs(shadow.shift).max()) > 0.5 else 1
    for step in range(steps):
        layer = relief.cover if step == 0 else (solid > top * step / steps).astype(np.float32)
        moved = shadow.shift * top * (0 if step == 0 else (step + 0.5) / steps)
        place = np.array([[1, 0, old.x_min - window.x_min + moved[0]], [0, 1, old.y_min - window.y_min + moved[1]]])
        np.maximum(dark, cv2.warpAffine(layer, place, (window.shape[1], window.shape[0])), out=dark)
    soft = cv2.GaussianBlur(dark, (0, 0), max(0.7, shadow.blur_px))
    stage.dim(window, np.asarray(soft, np.float32), shadow.strength)
