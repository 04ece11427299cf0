"""Shapes of holds as gauge functions and height fields.

A gauge is 0 or less at the crest, 1 on the outline and more outside; coordinates are in half sizes, u right, v up.
Heights are in half sizes above the wall, before the hold's own `relief` factor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.renderer.noise import Field

Gauge = Callable[[Field, Field], Field]
Height = Callable[[Field, Field, Field], Field]


@dataclass(frozen=True, slots=True)
class Form:
    """One shape: `gauge(u, v)`, `height(u, v, gauge)`, and how far it stands out (`relief`, in half sizes)."""

    name: str
    gauge: Gauge
    height: Height
    relief: float
    reach: float = 1.0
    """The outline lies within this many half sizes of the middle."""


def _dome(power: float) -> Height:
    """Round hill; higher powers have a flatter top and steeper sides."""

    def height(_u: Field, _v: Field, gauge: Field) -> Field:
        return np.asarray(np.sqrt(np.clip(1 - np.clip(gauge, 0, 1) ** power, 0, 1)), np.float32)

    return height


def _ellipse(aspect: float) -> Gauge:
    wide, tall = min(1.0, aspect), min(1.0, 1 / aspect)
    return lambda u, v: np.asarray(np.hypot(u / wide, v / tall), np.float32)


def _wavy(rng: np.random.Generator, aspect: float, roughness: float) -> Gauge:
    """An ellipse with a few harmonics, the organic outline."""
    orders = np.arange(2, 7)
    sizes = roughness * rng.normal(0, 1, len(orders)) / (orders - 1)
    phases = rng.uniform(0, 2 * math.pi, len(orders))
    base = _ellipse(aspect)
    wave_sum = 1 + float(np.abs(sizes).sum())

    def gauge(u: Field, v: Field) -> Field:
        angle = np.arctan2(v, u)
        radius = np.ones_like(angle)
        for order, size, phase in zip(orders, sizes, phases, strict=True):
            radius += np.float32(size) * np.cos(order * angle + np.float32(phase))
        return np.asarray(base(u, v) * np.float32(wave_sum) / np.maximum(radius, 0.3), np.float32)

    return gauge


def _corners(rng: np.random.Generator, sides: int, sharpness: float, aspect: float) -> Gauge:
    """A rounded convex polygon: the p-norm of distances to its sides."""
    angles = np.sort(np.arange(sides) * 2 * math.pi / sides + rng.uniform(-0.3, 0.3, sides)) + rng.uniform(
        0, 2 * math.pi
    )
    distances = rng.uniform(0.58, 0.8, sides)
    wide, tall = min(1.0, aspect), min(1.0, 1 / aspect)

    def gauge(u: Field, v: Field) -> Field:
        total = np.zeros_like(u)
        for angle, distance in zip(angles, distances, strict=True):
            side = (u / wide * math.cos(angle) + v / tall * math.sin(angle)) / distance
            total += np.clip(side, 0, None).astype(np.float32) ** np.float32(sharpness)
        outer = 0.92 * np.hypot(u / wide, v / tall)
        return np.asarray(np.maximum(total ** np.float32(1 / sharpness), outer), np.float32)

    return gauge


def _union(gauges: list[Gauge], softness: float = 0.12) -> Gauge:
    """Smooth union."""

    def gauge(u: Field, v: Field) -> Field:
        parts = np.stack([part(u, v) for part in gauges])
        nearest = parts.min(axis=0)
        return np.asarray(nearest - softness * np.log(np.exp((nearest - parts) / softness).sum(axis=0)), np.float32)

    return gauge


def _ball(u0: float, v0: float, radius: float) -> Gauge:
    return lambda u, v: np.asarray(np.hypot(u - u0, v - v0) / radius, np.float32)


def _capsule(start: tuple[float, float], end: tuple[float, float], radius: float, taper: float = 1.0) -> Gauge:
    """A rod from `start` to `end` whose radius shrinks to `taper` times at the end."""
    du, dv = end[0] - start[0], end[1] - start[1]
    length2 = du * du + dv * dv + 1e-9

    def gauge(u: Field, v: Field) -> Field:
        along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / length2, 0, 1)
        distance = np.hypot(u - start[0] - along * du, v - start[1] - along * dv)
        return np.asarray(distance / (radius * (1 + (taper - 1) * along)), np.float32)

    return gauge


def sloper(rng: np.random.Generator) -> Form:
    """A big round friction hold."""
    gauge = _wavy(rng, float(rng.uniform(0.75, 1.6)), float(rng.uniform(0.0, 0.09)))
    return Form("sloper", gauge, _dome(float(rng.uniform(1.8, 3.2))), float(rng.uniform(0.35, 0.75)))


def disc(rng: np.random.Generator) -> Form:
    """A round plate with a second, smaller dome or a dish in it."""
    off_u, off_v = rng.uniform(-0.25, 0.25, 2)
    inner, rise = float(rng.uniform(0.3, 0.6)), float(rng.choice([-0.35, 0.5, 0.8]))
    plate = _dome(float(rng.uniform(5, 10)))

    def height(u: Field, v: Field, gauge: Field) -> Field:
        bump = np.clip(1 - (np.hypot(u - off_u, v - off_v) / inner) ** 2, 0, 1)
        return np.asarray(0.55 * plate(u, v, gauge) + rise * 0.6 * bump ** np.float32(0.7), np.float32)

    gauge = _wavy(rng, float(rng.uniform(0.9, 1.15)), 0.02)
    return Form("disc", gauge, height, float(rng.uniform(0.3, 0.55)))


def jug(rng: np.random.Generator) -> Form:
    """A deep incut: bulging body, scoop behind its upper lip."""
    base = _corners(rng, int(rng.integers(3, 6)), float(rng.uniform(4, 9)), float(rng.uniform(0.7, 1.7)))
    body = _dome(float(rng.uniform(2.0, 4.0)))
    depth, level = float(rng.uniform(0.3, 0.8)), float(rng.uniform(0.15, 0.4))

    def height(u: Field, v: Field, gauge: Field) -> Field:
        scoop = np.exp(-((u / 0.5) ** 2) - ((v - level) / 0.22) ** 2)
        lean = np.clip(0.85 - 0.35 * v, 0.4, 1.3)
        return np.asarray(body(u, v, gauge) * lean - depth * scoop * (gauge < 1), np.float32)

    return Form("jug", base, height, float(rng.uniform(0.5, 0.9)))


def crimp(rng: np.random.Generator) -> Form:
    """A thin edge: long, wedge-shaped, highest along its top."""
    base = _corners(rng, int(rng.integers(4, 7)), float(rng.uniform(5, 12)), float(rng.uniform(1.7, 3.2)))
    body = _dome(float(rng.uniform(4, 8)))

    def height(u: Field, v: Field, gauge: Field) -> Field:
        return np.asarray(body(u, v, gauge) * np.clip(0.6 + 1.2 * v, 0.2, 1.2), np.float32)

    return Form("crimp", base, height, float(rng.uniform(0.3, 0.55)))


def pinch(rng: np.random.Generator) -> Form:
    """Tall, with a waist."""
    big, small = float(rng.uniform(0.34, 0.46)), float(rng.uniform(0.22, 0.4))
    sway = float(rng.uniform(-0.25, 0.25))
    rod = _capsule((sway, 0.55), (-sway, -0.55), float(rng.uniform(0.2, 0.3)))
    gauge = _union([_ball(sway, 1 - big - 0.06, big), _ball(-sway, small - 0.94, small), rod])
    return Form("pinch", gauge, _dome(float(rng.uniform(1.8, 3.0))), float(rng.uniform(0.35, 0.6)), 1.05)


def crescent(rng: np.random.Generator) -> Form:
    """A banana: a bent rod with thin tips."""
    bend, fat = float(rng.uniform(0.5, 1.5)), float(rng.uniform(0.2, 0.34))
    radius = 0.86 / max(math.sin(min(bend, math.pi / 2)), 0.4)

    def gauge(u: Field, v: Field) -> Field:
        angle = np.arctan2(u, radius + v - 0.15)
        inside = np.clip(angle, -bend, bend)
        distance = np.hypot(u - radius * np.sin(inside), v - 0.15 + radius - radius * np.cos(inside))
        return np.asarray(distance / (fat * (1 - 0.75 * np.abs(inside / bend) ** 2.2)), np.float32)

    return Form("crescent", gauge, _dome(float(rng.uniform(1.6, 3))), float(rng.uniform(0.2, 0.4)), 1.35)


def half_moon(rng: np.random.Generator) -> Form:
    """A disc cut by a straight lip."""
    cut, power = float(rng.uniform(-0.05, 0.35)), float(rng.uniform(10, 22))

    def gauge(u: Field, v: Field) -> Field:
        lip = np.clip((v + 0.45) / (cut + 0.45), 0, None)
        bowl = np.hypot(u, v * 1.05)
        return np.asarray((lip**power + bowl**power) ** (1 / power), np.float32)

    bowl_height = _dome(6)

    def height(u: Field, v: Field, gauge: Field) -> Field:
        return np.asarray(bowl_height(u, v, gauge) * np.clip(0.75 + 0.5 * v, 0.15, 1.1), np.float32)

    return Form("half_moon", gauge, height, float(rng.uniform(0.3, 0.6)))


def pocket(rng: np.random.Generator) -> Form:
    """A ball with a hole for one to three fingers."""
    gauge = _wavy(rng, float(rng.uniform(0.85, 1.3)), 0.04)
    body = _dome(2.5)
    wide, level = float(rng.uniform(0.25, 0.45)), float(rng.uniform(-0.1, 0.25))

    def height(u: Field, v: Field, gauge: Field) -> Field:
        hole = np.clip(1.25 - np.hypot(u / wide, (v - level) / (0.7 * wide)), 0, 1)
        return np.asarray(body(u, v, gauge) - 0.8 * np.sqrt(hole), np.float32)

    return Form("pocket", gauge, height, float(rng.uniform(0.45, 0.8)))


def gem(rng: np.random.Generator) -> Form:
    """Flat facets with hard edges."""
    sides = int(rng.integers(4, 8))
    angles = np.arange(sides) * 2 * math.pi / sides + rng.uniform(-0.35, 0.35, sides) + rng.uniform(0, 2 * math.pi)
    distances = rng.uniform(0.6, 0.82, sides)
    slopes = rng.uniform(0.9, 2.4, sides)
    top_u, top_v, top = *rng.uniform(-0.35, 0.35, 2), float(rng.uniform(0.5, 0.9))
    wide, tall = (float(rng.uniform(0.6, 1.0)), 1.0) if rng.random() < 0.4 else (1.0, float(rng.uniform(0.5, 1.0)))

    def sides_of(u: Field, v: Field) -> Field:
        sides = [u / wide * math.cos(angle) + v / tall * math.sin(angle) for angle in angles]
        return np.asarray(np.stack(sides) / distances[:, None, None], np.float32)

    def gauge(u: Field, v: Field) -> Field:
        return np.asarray(np.maximum(sides_of(u, v).max(axis=0), 0.95 * np.hypot(u / wide, v / tall)), np.float32)

    def height(u: Field, v: Field, _gauge: Field) -> Field:
        flanks = ((1 - sides_of(u, v)) * slopes[:, None, None]).min(axis=0)
        return np.asarray(np.clip(np.minimum(flanks, top + top_u * u + top_v * v), 0, 1), np.float32)

    return Form("gem", gauge, height, float(rng.uniform(0.4, 0.8)))


def rail(rng: np.random.Generator) -> Form:
    """A long bar."""
    radius = float(rng.uniform(0.08, 0.16))
    gauge = _capsule((-0.97 + radius, 0.0), (0.97 - radius, 0.0), radius, float(rng.uniform(0.6, 1)))
    return Form("rail", gauge, _dome(3.0), float(rng.uniform(0.1, 0.2)))


def cluster(rng: np.random.Generator) -> Form:
    """Bubbles grown together."""
    count = int(rng.integers(3, 7))
    angles = np.arange(count) * 2 * math.pi / count + rng.uniform(-0.4, 0.4, count)
    away = rng.uniform(0.28, 0.42, count)
    balls = [
        _ball(float(r * math.cos(a)), float(r * math.sin(a)), float(rng.uniform(0.36, 0.5)))
        for a, r in zip(angles, away, strict=True)
    ]
    return Form("cluster", _union(balls, 0.08), _dome(2.0), float(rng.uniform(0.3, 0.5)), 1.1)


def three_arms(rng: np.random.Generator) -> Form:
    """A Y of three rods."""
    turn = rng.uniform(0, 2 * math.pi)
    tips = [(0.68 * math.cos(turn + k * 2.1), 0.68 * math.sin(turn + k * 2.1)) for k in range(3)]
    arms = [_capsule((0, 0), tip, float(rng.uniform(0.26, 0.38)), float(rng.uniform(0.55, 0.95))) for tip in tips]
    return Form("three_arms", _union(arms, 0.1), _dome(2.2), float(rng.uniform(0.35, 0.55)), 1.05)


def drop(rng: np.random.Generator) -> Form:
    """A teardrop: round below, narrowing to a tip."""
    gauge = _capsule((0, -0.42), (float(rng.uniform(-0.15, 0.15)), 0.85), float(rng.uniform(0.42, 0.56)), 0.18)
    return Form("drop", gauge, _dome(float(rng.uniform(1.8, 3.0))), float(rng.uniform(0.35, 0.6)), 1.05)


def foot(rng: np.random.Generator) -> Form:
    """A foothold: a small lump."""
    gauge = _wavy(rng, float(rng.uniform(0.7, 2.0)), 0.06)
    return Form("foot", gauge, _dome(float(rng.uniform(2.0, 5.0))), float(rng.uniform(0.4, 0.8)))
