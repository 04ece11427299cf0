"""What walls are made of: plywood, sanded paint, cast concrete, sculpted plaster, worn white.

A finish turns noise into an albedo; all sizes are meters so that a photo's scale does not change its look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from training.renderer.noise import Field, fractal, relief_light, speckle
from training.renderer.palette import Rgb, to_linear


@dataclass(frozen=True, slots=True)
class Sheet:
    """A flat canvas: rows and columns, and pixels per meter."""

    shape: tuple[int, int]
    px_per_m: float

    def px(self, meters: float) -> float:
        """Meters as canvas pixels, at least one."""
        return max(1.0, meters * self.px_per_m)


JOINT_M = 0.003
Pattern = Callable[[np.random.Generator, Sheet], tuple[Field, Field]]


def _mix(first: Rgb, second: Rgb, blend: Field, tone: Field) -> Field:
    """Albedo (H, W, 3) between two tints; `blend` 0..1 is the share of the second, `tone` a brightness factor."""
    low, high = to_linear(first), to_linear(second)
    share = np.clip(blend, 0, 1)
    return np.asarray(cv2.merge([(low[c] + (high[c] - low[c]) * share) * tone for c in range(3)]), np.float32)


def _plywood(rng: np.random.Generator, sheet: Sheet) -> tuple[Field, Field]:
    """Veneer: long soft streaks, flames, panel by panel a little lighter or darker."""
    streaks = fractal(rng, sheet.shape, sheet.px(0.012), octaves=2, stretch=18)
    flames = fractal(rng, sheet.shape, sheet.px(0.22), octaves=3, stretch=3.5)
    blend = 0.4 + 0.28 * flames + 0.16 * streaks
    tone = 1 + 0.05 * speckle(rng, sheet.shape, sheet.px(0.002)) + 0.05 * streaks
    return blend, tone * _panels(rng, sheet, float(rng.uniform(0.03, 0.13)))


def _sanded(rng: np.random.Generator, sheet: Sheet) -> tuple[Field, Field]:
    """Paint with sand in it: fine grain, hand-height wear."""
    grain = speckle(rng, sheet.shape, sheet.px(float(rng.uniform(0.002, 0.005))))
    wear = fractal(rng, sheet.shape, sheet.px(0.7), octaves=4)
    tone = 1 + np.float32(rng.uniform(0.02, 0.09)) * grain + 0.04 * wear
    return 0.35 + 0.4 * wear, tone * _panels(rng, sheet, float(rng.uniform(0.0, 0.04)))


def _concrete(rng: np.random.Generator, sheet: Sheet) -> tuple[Field, Field]:
    """Cast look: bumps lit from above, pores, cloudy stains."""
    bumps = fractal(rng, sheet.shape, sheet.px(0.05), octaves=4)
    clouds = fractal(rng, sheet.shape, sheet.px(0.9), octaves=4)
    pores = (speckle(rng, sheet.shape, sheet.px(0.006)) > 2.2).astype(np.float32)
    lit = relief_light(bumps, float(rng.uniform(0.15, 0.6)) * sheet.px(0.01))
    return 0.4 + 0.35 * clouds + 0.1 * bumps, (lit * (1 - 0.35 * pores)).astype(np.float32)


def _plaster(rng: np.random.Generator, sheet: Sheet) -> tuple[Field, Field]:
    """Sculpted, rock-like plaster: strong relief, wiped stains."""
    ridges = 1 - np.abs(fractal(rng, sheet.shape, sheet.px(0.16), octaves=5))
    stains = fractal(rng, sheet.shape, sheet.px(0.6), octaves=5)
    lit = relief_light(ridges, float(rng.uniform(0.4, 1.1)) * sheet.px(0.015))
    return 0.45 + 0.5 * stains, lit * (1 + 0.06 * speckle(rng, sheet.shape, sheet.px(0.003)))


def _worn(rng: np.random.Generator, sheet: Sheet) -> tuple[Field, Field]:
    """Light paint with years of rubber on it."""
    streaks = fractal(rng, sheet.shape, sheet.px(0.025), octaves=4, stretch=0.5)
    streaks += 0.25 * speckle(rng, sheet.shape, sheet.px(0.005))
    climbed = 0.6 * fractal(rng, sheet.shape, sheet.px(0.6), octaves=3)
    blend = np.clip(
        (streaks + climbed - np.float32(rng.uniform(0.1, 0.4))) * np.float32(rng.uniform(0.5, 1.3)), 0, 0.85
    )
    grain = 1 + 0.05 * speckle(rng, sheet.shape, sheet.px(0.004))
    return blend, grain + 0.03 * fractal(rng, sheet.shape, sheet.px(0.5))


def _panels(rng: np.random.Generator, sheet: Sheet, spread: float) -> Field:
    """Brightness of 1.22 m by 2.44 m boards with thin dark joints."""
    tall, wide = (1.22, 2.44) if rng.random() < 0.7 else (2.44, 1.22)
    rows = np.arange(sheet.shape[0]) / sheet.px(tall) + rng.random()
    columns = np.arange(sheet.shape[1]) / sheet.px(wide) + rng.random()
    stagger = 0.5 * float(rng.random() < 0.5)
    depth = np.float32(rng.uniform(0.12, 0.5))
    tone = np.empty(sheet.shape, np.float32)
    for row in np.unique(np.floor(rows)).astype(int):
        shifted = columns + stagger * (row % 2)
        boards = rng.uniform(1 - spread, 1 + spread, int(shifted[-1]) + 1)[np.floor(shifted).astype(int)]
        boards[shifted % 1 < JOINT_M / wide + 0.5 / sheet.px(wide)] *= 1 - depth
        tone[np.floor(rows) == row] = boards
    tone[rows % 1 < JOINT_M / tall + 0.5 / sheet.px(tall)] *= 1 - depth
    return tone


@dataclass(frozen=True, slots=True)
class Finish:
    """A surface: its pattern and the two sRGB tints between which it varies."""

    name: str
    pattern: Pattern
    light: Rgb
    dark: Rgb

    def albedo(self, rng: np.random.Generator, sheet: Sheet) -> Field:
        """(H, W, 3) linear albedo."""
        blend, tone = self.pattern(rng, sheet)
        return _mix(self.light, self.dark, blend, tone)


FINISHES: dict[str, Finish] = {
    finish.name: finish
    for finish in (
        Finish("birch", _plywood, (222, 190, 144), (186, 146, 100)),
        Finish("pale-birch", _plywood, (232, 212, 176), (206, 178, 136)),
        Finish("oiled-plywood", _plywood, (190, 138, 96), (146, 98, 64)),
        Finish("brown-plywood", _plywood, (168, 118, 84), (128, 86, 60)),
        Finish("gray", _sanded, (172, 166, 158), (140, 136, 130)),
        Finish("warm-gray", _sanded, (190, 178, 160), (158, 146, 128)),
        Finish("dark-gray", _sanded, (98, 94, 90), (72, 70, 68)),
        Finish("anthracite", _sanded, (58, 60, 64), (40, 42, 46)),
        Finish("brick-blue", _sanded, (96, 112, 146), (76, 90, 120)),
        Finish("slate-blue", _sanded, (96, 112, 142), (70, 84, 112)),
        Finish("white", _sanded, (236, 234, 228), (208, 206, 200)),
        Finish("teal", _sanded, (84, 150, 150), (58, 118, 120)),
        Finish("sage", _sanded, (160, 176, 150), (128, 146, 122)),
        Finish("ocher", _sanded, (214, 166, 84), (184, 136, 62)),
        Finish("coral", _sanded, (206, 112, 92), (172, 84, 70)),
        Finish("sky", _sanded, (146, 184, 208), (112, 152, 182)),
        Finish("concrete", _concrete, (166, 164, 160), (122, 120, 118)),
        Finish("light-concrete", _concrete, (204, 200, 192), (164, 160, 152)),
        Finish("sandstone", _plaster, (182, 148, 112), (118, 88, 64)),
        Finish("gray-plaster", _plaster, (158, 152, 146), (104, 100, 98)),
        Finish("worn-white", _worn, (228, 226, 222), (84, 82, 80)),
        Finish("worn-gray", _worn, (170, 168, 166), (70, 68, 66)),
    )
}

PAIRS: tuple[tuple[str, str], ...] = (
    ("birch", "oiled-plywood"), ("pale-birch", "brown-plywood"), ("oiled-plywood", "brown-plywood"),
    ("gray", "brick-blue"), ("warm-gray", "brick-blue"), ("dark-gray", "brick-blue"), ("gray", "dark-gray"),
    ("white", "teal"), ("white", "coral"), ("white", "anthracite"), ("gray", "ocher"), ("sky", "white"),
    ("concrete", "light-concrete"), ("anthracite", "gray"), ("birch", "white"), ("slate-blue", "gray"),
    ("sage", "white"), ("sandstone", "sandstone"), ("gray-plaster", "gray-plaster"),
    ("worn-white", "worn-white"), ("worn-gray", "white"), ("birch", "anthracite"),
)  # fmt: skip
"""Finishes that stand side by side in one gym."""
