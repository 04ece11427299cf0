"""The bare wall: facets in one or two finishes, bolt holes, chalk and rubber, painted flat and then photographed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer.camera import Camera, Vector
from training.renderer.finishes import FINISHES, Sheet
from training.renderer.lighting import Lighting
from training.renderer.noise import Field, fractal, speckle

SUBPIXEL_BITS = 4
CHALK = np.float32(0.72)


@dataclass(frozen=True, slots=True)
class Facets:
    """How lines a·x + b·y = c fold a wall; each region has a finish, a tilt to the light and a hole grid."""

    lines: NDArray[np.float64]
    finish_of: tuple[int, ...]
    light_of: tuple[float, ...]
    grid_turn: tuple[float, ...]

    def region(self, x_m: Vector, y_m: Vector) -> NDArray[np.int64]:
        """Region number of wall points, any broadcastable shapes."""
        number = np.zeros(np.broadcast_shapes(x_m.shape, y_m.shape), np.int64)
        for bit, (a, b, c) in enumerate(self.lines):
            number += (a * x_m + b * y_m > c).astype(np.int64) << bit
        return number

    def light_at(self, x_m: float, y_m: float) -> float:
        """Brightness of the facet at a point, 1 being the plain wall."""
        return self.light_of[int(self.region(np.array(x_m), np.array(y_m)))]


def draw_facets(rng: np.random.Generator, center_xy: tuple[float, float], cuts: int) -> Facets:
    """`cuts` random folds through the neighborhood of `center_xy`."""
    angles = rng.uniform(0, math.pi, cuts)
    through = np.array(center_xy) + rng.uniform(-1.3, 1.3, (cuts, 2))
    normals = np.column_stack([np.cos(angles), np.sin(angles)])
    lines = np.column_stack([normals, (normals * through).sum(axis=1)])
    regions = 2**cuts
    first = int(rng.integers(2))
    finish_of = tuple(first if i == 0 else int(rng.integers(2)) for i in range(regions))
    light_of = tuple(1.0 if i == 0 else float(rng.uniform(0.68, 1.1)) for i in range(regions))
    turned = tuple(0.0 if i == 0 or rng.random() < 0.5 else float(rng.uniform(-0.5, 0.5)) for i in range(regions))
    return Facets(lines, finish_of, light_of, turned)


@dataclass(frozen=True, slots=True)
class WallRect:
    """The part of the wall that is painted, meters; `sheet` is its canvas, row 0 at `top`."""

    left: float
    top: float
    sheet: Sheet

    def to_px(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Wall meters to canvas pixels."""
        return (x_m - self.left) * self.sheet.px_per_m, (self.top - y_m) * self.sheet.px_per_m

    def homography(self) -> NDArray[np.float64]:
        """(3, 3) from canvas pixel indices (centers at whole numbers) to wall meters."""
        step = 1 / self.sheet.px_per_m
        return np.array([[step, 0, self.left + step / 2], [0, -step, self.top - step / 2], [0, 0, 1.0]])


def seen_rect(camera: Camera, size_wh: tuple[int, int], top_m: float) -> WallRect:
    """The bounding rectangle of what the photo shows of a wall that ends at 0 and at `top_m`."""
    width, height = size_wh
    border = np.array([[u * width, v * height] for u in (0, 0.5, 1) for v in (0, 0.5, 1)], float)
    seen = camera.on_wall(border)
    left, right = float(seen[:, 0].min()), float(seen[:, 0].max())
    low, high = max(-0.3, float(seen[:, 1].min())), min(top_m + 0.3, float(seen[:, 1].max()))
    middle = np.array([[(left + right) / 2, (low + high) / 2], [(left + right) / 2 + 0.1, (low + high) / 2]])
    pixels = camera.project(np.column_stack([middle, [0, 0]]))
    px_per_m = 10 * float(np.linalg.norm(pixels[1] - pixels[0]))
    shape = max(8, math.ceil((high - low) * px_per_m)), max(8, math.ceil((right - left) * px_per_m))
    shrink = min(1.0, math.sqrt(2.2 * width * height / (shape[0] * shape[1])))
    return WallRect(left, high, Sheet((math.ceil(shape[0] * shrink), math.ceil(shape[1] * shrink)), px_per_m * shrink))


def paint_wall(
    rng: np.random.Generator,
    rect: WallRect,
    facets: Facets,
    finishes: tuple[str, str],
    touched_xyr: NDArray[np.float64],
) -> Field:
    """Linear albedo (H, W, 3) of the flat wall.

    Args:
        rng: Source of all texture.
        rect: What to paint.
        facets: Regions; `finish_of` selects from `finishes`.
        finishes: Two names of `FINISHES`.
        touched_xyr: (N, 3) places where hands and shoes go: x, y and radius in meters. N may be 0.
    """
    sheet = rect.sheet
    columns, rows = np.arange(sheet.shape[1], dtype=float), np.arange(sheet.shape[0], dtype=float)
    x_m, y_m = rect.left + (columns + 0.5) / sheet.px_per_m, rect.top - (rows + 0.5) / sheet.px_per_m
    region = facets.region(x_m[None], y_m[:, None])
    first_rng, second_rng, holes_rng, rubber_rng, chalk_rng = rng.spawn(5)
    albedo = FINISHES[finishes[0]].albedo(first_rng, sheet)
    if any(facets.finish_of) and finishes[0] != finishes[1]:
        second = FINISHES[finishes[1]].albedo(second_rng, sheet)
        np.copyto(albedo, second, where=np.array(facets.finish_of, bool)[region][..., None])
    shade = np.array(facets.light_of, np.float32)[region]
    shade *= _bolt_holes(holes_rng, rect, facets) * _rubber(rubber_rng, rect, touched_xyr)
    albedo *= shade[..., None]
    chalk = _chalk(chalk_rng, rect, touched_xyr)[..., None]
    albedo += (CHALK * shade[..., None] - albedo) * chalk
    return albedo


def _bolt_holes(rng: np.random.Generator, rect: WallRect, facets: Facets) -> Field:
    """Light factor of the T-nut grid: dark holes with a lit lower lip."""
    sheet = rect.sheet
    pitch = float(rng.choice([0.15, 0.18, 0.2, 0.2, 0.25]))
    radius_px = float(rng.uniform(0.0055, 0.008)) * sheet.px_per_m
    dark, lip = np.zeros(sheet.shape, np.uint8), np.zeros(sheet.shape, np.uint8)
    stagger = float(rng.choice([0.0, 0.5]))
    for number, turn in enumerate(facets.grid_turn):
        points = _grid(rect, pitch, turn, stagger)
        mine = points[facets.region(points[:, 0], points[:, 1]) == number]
        for x_m, y_m in (mine + rng.normal(0, 0.002, mine.shape)).tolist():
            u, v = rect.to_px(x_m, y_m)
            _dot(dark, u, v, radius_px)
            _dot(lip, u, v + 0.5 * radius_px, radius_px)
    shine, depth = np.float32(rng.uniform(0.05, 0.35) / 255), np.float32(rng.uniform(0.6, 0.92) / 255)
    return np.asarray((1 + lip * shine) * (1 - dark * depth), np.float32)


def _grid(rect: WallRect, pitch: float, turn: float, stagger: float) -> Vector:
    """Points (N, 2) of a turned grid over the rectangle, meters."""
    height, width = (n / rect.sheet.px_per_m for n in rect.sheet.shape)
    reach = math.hypot(width, height) / 2 / pitch + 1
    steps = np.arange(-math.ceil(reach), math.ceil(reach) + 1)
    columns, rows = np.meshgrid(steps, steps)
    columns = columns + stagger * (rows % 2)
    x_m = pitch * (columns * math.cos(turn) - rows * math.sin(turn)) + rect.left + width / 2
    y_m = pitch * (columns * math.sin(turn) + rows * math.cos(turn)) + rect.top - height / 2
    inside = (np.abs(x_m - rect.left - width / 2) < width / 2) & (np.abs(y_m - rect.top + height / 2) < height / 2)
    return np.column_stack([x_m[inside], y_m[inside]])


def _dot(layer: NDArray[np.uint8], u: float, v: float, radius_px: float) -> None:
    """An antialiased disc at sub-pixel position; discs below half a pixel fade instead of vanishing."""
    one = 1 << SUBPIXEL_BITS
    value = 255 if radius_px >= 0.7 else int(255 * (radius_px / 0.7) ** 2)
    at = (round((u - 0.5) * one), round((v - 0.5) * one))
    cv2.circle(layer, at, round(max(0.7, radius_px) * one), value, cv2.FILLED, cv2.LINE_AA, SUBPIXEL_BITS)


def _chalk(rng: np.random.Generator, rect: WallRect, touched_xyr: NDArray[np.float64]) -> Field:
    """Cover 0..1 of chalk: handprints around holds, slaps on bare wall."""
    sheet = rect.sheet
    small = np.zeros((max(2, sheet.shape[0] // 3), max(2, sheet.shape[1] // 3)), np.float32)
    strength = float(rng.choice([0.05, 0.3, 0.65], p=[0.3, 0.45, 0.25]))
    width, height = sheet.shape[1] / sheet.px_per_m, sheet.shape[0] / sheet.px_per_m
    slaps = rng.random((int(rng.integers(0, 12)), 3)) * [width, -height, 0.1] + [rect.left, rect.top, 0.04]
    spots = np.concatenate([touched_xyr[rng.random(len(touched_xyr)) < 0.6], slaps])
    for x_m, y_m, radius_m in spots.tolist():
        u, v = rect.to_px(x_m + rng.normal(0, 0.4) * radius_m, y_m + abs(rng.normal(0, 0.8)) * radius_m)
        axes = np.maximum(1, radius_m * sheet.px_per_m / 3 * np.array([rng.uniform(0.3, 1.1), 0.5])).round().astype(int)
        at = (round(u / 3), round(v / 3))
        cv2.ellipse(small, at, axes.tolist(), rng.uniform(0, 180), 0, 360, float(rng.uniform(0.3, 1)), cv2.FILLED)
    soft = cv2.GaussianBlur(small, (0, 0), max(0.8, 0.014 * sheet.px_per_m))
    spread = cv2.resize(soft, (sheet.shape[1], sheet.shape[0]), interpolation=cv2.INTER_LINEAR)
    smears = fractal(rng, sheet.shape, sheet.px(0.09), octaves=5, stretch=0.5)
    grit = speckle(rng, sheet.shape, sheet.px(0.006))
    cover = spread * np.clip(0.4 + 0.7 * smears + 0.18 * grit, 0, 1) * strength
    return np.asarray(np.clip(cover, 0, 0.7), np.float32)


def _rubber(rng: np.random.Generator, rect: WallRect, touched_xyr: NDArray[np.float64]) -> Field:
    """Light factor of black shoe marks: short faint strokes, mostly low on the wall."""
    sheet = rect.sheet
    marks = np.zeros(sheet.shape, np.uint8)
    count = int(rng.integers(0, 140))
    height, width = sheet.shape
    for _ in range(count):
        u, v = rng.uniform(0, width), height * (1 - abs(rng.normal(0, 0.45)))
        if len(touched_xyr) and rng.random() < 0.5:
            x_m, y_m, radius_m = touched_xyr[rng.integers(len(touched_xyr))]
            u, v = rect.to_px(x_m + rng.normal(0, 1.5) * radius_m, y_m - abs(rng.normal(0, 2)) * radius_m)
        length, angle = sheet.px(abs(rng.normal(0, 0.05))), rng.normal(math.pi / 2, 0.6)
        ends = [(round(u + s * length * math.cos(angle)), round(v + s * length * math.sin(angle))) for s in (-0.5, 0.5)]
        thick = max(1, round(sheet.px_per_m * rng.uniform(0.002, 0.012)))
        cv2.line(marks, ends[0], ends[1], int(rng.integers(20, 110)), thick, cv2.LINE_AA)
    blurred = cv2.GaussianBlur(marks, (0, 0), max(0.6, 0.003 * sheet.px_per_m))
    return np.asarray(1 - blurred.astype(np.float32) / 255, np.float32)


def photograph(albedo: Field, rect: WallRect, camera: Camera, lighting: Lighting, size_wh: tuple[int, int]) -> Field:
    """The wall as the camera sees it: linear RGB (H, W, 3)."""
    to_photo = camera.wall_homography() @ rect.homography()
    to_photo = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1.0]]) @ to_photo
    seen = cv2.warpPerspective(albedo, to_photo, size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = cv2.resize(_coarse_light(camera, lighting, size_wh), size_wh, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.multiply(seen, light), np.float32)


def _coarse_light(camera: Camera, lighting: Lighting, size_wh: tuple[int, int], cells: int = 64) -> Field:
    """Irradiance of the wall with the room's shade on a (cells, cells, 3) grid over the photo."""
    steps = (np.arange(cells) + 0.5) / cells
    u, v = np.meshgrid(steps * size_wh[0], steps * size_wh[1])
    wall_xy = camera.on_wall(np.column_stack([u.ravel(), v.ravel()])).reshape(cells, cells, 2)
    shade = cv2.resize(lighting.shade, (cells, cells), interpolation=cv2.INTER_LINEAR)
    return np.asarray(lighting.over_wall(wall_xy) * shade[..., None], np.float32)
