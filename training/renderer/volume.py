"""Volumes: flat-faced wooden bodies on the wall, as true three-dimensional shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from training.renderer.camera import Frame, Vector
from training.renderer.noise import Field, fractal, speckle
from training.renderer.palette import Shade, to_linear
from training.renderer.stage import Stage, Window, polygon_cover


@dataclass(frozen=True, slots=True)
class Volume:
    """A body: `base` (N, 3) on the wall, `top` (N, 3) over it, world meters, counterclockwise from the front.

    Tops may coincide (a pyramid's apex, a roof's ridge). `wooden` bodies show veneer, others paint.
    """

    shape: str
    base: Vector
    top: Vector
    shade: Shade
    wooden: bool
    facet_light: float
    bolts: bool
    logo: bool

    def faces(self) -> list[Vector]:
        """Polygons (K, 3) of the sides, as triangles and quads, and of the lid."""
        count = len(self.base)
        found = []
        for i in range(count):
            j = (i + 1) % count
            found.append(np.stack([self.base[i], self.base[j], self.top[j], self.top[i]]))
        found.append(self.top)
        return [face for face in map(_without_repeats, found) if len(face) >= 3 and _area(face) > 1e-4]

    @property
    def radius_m(self) -> float:
        """Largest distance of a base corner from the middle."""
        return float(np.linalg.norm(self.base - self.base.mean(axis=0), axis=1).max())


def _without_repeats(face: Vector) -> Vector:
    keep = [i for i in range(len(face)) if np.linalg.norm(face[i] - face[i - 1]) > 1e-4]
    return face[keep]


def _newell(face: Vector) -> Vector:
    """Twice the area vector of a polygon."""
    return np.asarray(np.cross(face, np.roll(face, -1, axis=0)).sum(axis=0))


def _area(face: Vector) -> float:
    return float(np.linalg.norm(_newell(face))) / 2


def frame_of(face: Vector) -> Frame:
    """Tangent frame in the middle of a face, its up as near to the world's as possible."""
    out = _newell(face)
    out = out / np.linalg.norm(out)
    up = np.array([0.0, 1.0, 0.0]) - out[1] * out
    if np.linalg.norm(up) < 0.2:
        up = np.array([1.0, 0.0, 0.0]) - out[0] * out
    up = up / np.linalg.norm(up)
    return Frame(face.mean(axis=0), np.cross(up, out), up, out)


def distance_to_edges(face: Vector, spot: Vector) -> float:
    """Meters from a point of a face (K, 3) to the nearest of its edges' lines."""
    start, edge = np.roll(face, 1, axis=0), face - np.roll(face, 1, axis=0)
    along = edge / (np.linalg.norm(edge, axis=1, keepdims=True) + 1e-9)
    offset = spot - start
    across = offset - (offset * along).sum(axis=1, keepdims=True) * along
    return float(np.linalg.norm(across, axis=1).min())


def visible_faces(stage: Stage, volume: Volume) -> list[Vector]:
    """Faces turned to the camera, the farthest first."""
    camera = stage.camera.position
    seen = [face for face in volume.faces() if _newell(face) @ (camera - face.mean(axis=0)) > 0]
    return sorted(seen, key=lambda face: -float(np.linalg.norm(face.mean(axis=0) - camera)))


def draw_volume(
    rng: np.random.Generator, middle_xy: tuple[float, float], radius_m: float, shade: Shade, facet_light: float
) -> Volume:
    """A random body of about that radius on the wall."""
    shape = str(rng.choice(list(_BODIES), p=[0.45, 0.17, 0.2, 0.08, 0.1]))
    base, top = _BODIES[shape](rng)
    at = np.array([*middle_xy, 0.0])
    bolts, logo = bool(rng.random() < 0.7), bool(rng.random() < 0.4)
    return Volume(
        shape, base * radius_m + at, top * radius_m + at, shade, shade.name == "beige", facet_light, bolts, logo
    )


def _ring(rng: np.random.Generator, sides: int, jitter: float) -> Vector:
    """Corners (N, 3) around the unit circle, counterclockwise, at height 0."""
    angles = np.arange(sides) * 2 * math.pi / sides + rng.uniform(0, 2 * math.pi)
    angles = angles + rng.uniform(-jitter, jitter, sides) * 2 / sides
    reach = rng.uniform(1 - jitter, 1.0, sides)
    return np.column_stack([reach * np.cos(angles), reach * np.sin(angles), np.zeros(sides)])


def _turned(points: Vector, heading: float) -> Vector:
    """Rotate points about the wall's normal."""
    cosine, sine = math.cos(heading), math.sin(heading)
    return np.asarray(points @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]))


def _pyramid(rng: np.random.Generator) -> tuple[Vector, Vector]:
    base = _ring(rng, int(rng.choice([3, 4], p=[0.7, 0.3])), 0.35)
    apex = [*rng.uniform(-0.3, 0.3, 2), rng.uniform(0.35, 0.85)]
    return base, np.tile(np.array(apex), (len(base), 1))


def _roof(rng: np.random.Generator) -> tuple[Vector, Vector]:
    broad, ridge, height = rng.uniform(0.3, 0.6), rng.uniform(0.2, 0.9), rng.uniform(0.25, 0.6)
    base = np.array([[-0.9, -broad, 0], [0.9, -broad, 0], [0.9, broad, 0], [-0.9, broad, 0]])
    shift = rng.uniform(-0.5, 0.5) * broad
    ends = np.array([[-ridge, shift, height], [ridge, shift, height]])
    heading = rng.uniform(0, 2 * math.pi)
    return _turned(base, heading), _turned(ends[[0, 1, 1, 0]], heading)


def _frustum(rng: np.random.Generator) -> tuple[Vector, Vector]:
    base = _ring(rng, int(rng.choice([3, 4, 5, 6])), 0.2)
    return base, base * rng.uniform(0.25, 0.8) + [0, 0, rng.uniform(0.25, 0.6)]


def _fan(rng: np.random.Generator) -> tuple[Vector, Vector]:
    base = _ring(rng, int(rng.integers(7, 12)), 0.05)
    apex = [*(base[0, :2] * 0.6), rng.uniform(0.4, 0.7)]
    return base, np.tile(np.array(apex), (len(base), 1))


def _beam(rng: np.random.Generator) -> tuple[Vector, Vector]:
    broad, height = rng.uniform(0.14, 0.3), rng.uniform(0.15, 0.35)
    base = np.array([[-1, -broad, 0], [1, -broad, 0], [1, broad, 0], [-1, broad, 0]])
    top = base * [rng.uniform(0.8, 0.97), rng.uniform(0.5, 0.95), 0] + [0, 0, height]
    heading = rng.choice([0.0, rng.uniform(0, 2 * math.pi)])
    return _turned(base, heading), _turned(top, heading)


_BODIES: dict[str, Callable[[np.random.Generator], tuple[Vector, Vector]]] = {
    "pyramid": _pyramid, "roof": _roof, "frustum": _frustum, "fan": _fan, "beam": _beam,
}  # fmt: skip
"""Base and top corners in units of the radius, by shape."""


def paint_volume(rng: np.random.Generator, stage: Stage, volume: Volume, owner: int) -> None:
    """Paint the shadow, then every visible face; the pixels belong to `owner` afterwards."""
    _cast_shadow(stage, volume)
    corners = stage.camera.project(np.concatenate([volume.base, volume.top]))
    window = stage.window(corners.min(axis=0) - 2, corners.max(axis=0) + 2)
    if window.empty:
        return
    px_per_m = _scale(stage, volume)
    texture = _texture(rng, window, px_per_m, volume.wooden)
    shade = stage.shade_at(volume.base.mean(axis=0)) * volume.facet_light
    for face in visible_faces(stage, volume):
        light = stage.lighting.on_facet(frame_of(face)) * shade * float(rng.uniform(0.94, 1.04))
        outline = stage.camera.project(face)
        tone = texture * _occlusion(stage, face, window)
        color = tone[..., None] * (to_linear(volume.shade.rgb) * light).astype(np.float32)
        stage.lay(window, color, polygon_cover(outline, window), owner)
        _wear_edges(rng, stage, window, outline, light)
        if volume.bolts:
            _drill(rng, stage, face, volume.shade, light)
    if volume.logo:
        _print_logo(rng, stage, volume)


def _scale(stage: Stage, volume: Volume) -> float:
    """Photo pixels per meter at the volume."""
    middle = volume.base.mean(axis=0)
    pixels = stage.camera.project(np.stack([middle, middle + np.array([0.1, 0, 0])]))
    return 10 * float(np.linalg.norm(pixels[1] - pixels[0]))


def _texture(rng: np.random.Generator, window: Window, px_per_m: float, wooden: bool) -> Field:
    """Tone (h, w) of veneer or of textured paint with rubber and chalk on it."""
    stretch = 12.0 if wooden else 1.0
    grain = fractal(rng, window.shape, max(2.0, (0.02 if wooden else 0.25) * px_per_m), octaves=3, stretch=stretch)
    sand = speckle(rng, window.shape, max(1.0, 0.003 * px_per_m))
    dust = np.clip(fractal(rng, window.shape, max(2.0, 0.12 * px_per_m), octaves=4) - 0.25, 0, 1)
    return np.asarray(
        1 + 0.08 * grain + np.float32(rng.uniform(0.02, 0.06)) * sand + np.float32(rng.uniform(0, 0.7)) * dust,
        np.float32,
    )


def _occlusion(stage: Stage, face: Vector, window: Window) -> Field:
    """Darker toward the wall: a linear ramp over the window from the face's low corners to its high ones."""
    pixels = stage.camera.project(face)
    plane, *_ = np.linalg.lstsq(np.column_stack([pixels, np.ones(len(pixels))]), face[:, 2], rcond=None)
    x, y = window.pixel_centers()
    height = x * np.float32(plane[0]) + y * np.float32(plane[1]) + np.float32(plane[2])
    return np.asarray(np.clip(0.86 + 0.14 * height / max(0.05, float(face[:, 2].max())), 0.75, 1.05), np.float32)


def _wear_edges(rng: np.random.Generator, stage: Stage, window: Window, outline: Vector, light: Vector) -> None:
    """Pale, chipped edges between faces."""
    edges = np.zeros(window.shape, np.uint8)
    points = np.round((outline - [window.x_min + 0.5, window.y_min + 0.5]) * 16).astype(np.int32)
    thickness = max(1, round(stage.size_wh[1] / 1400))
    cv2.polylines(edges, [points], True, int(rng.integers(15, 80)), thickness, cv2.LINE_AA, 4)
    owned = (stage.owner[window.slices()] >= 0).astype(np.float32)
    cover = np.asarray(edges * (owned / 255), np.float32)
    stage.lay(window, (0.55 * light).astype(np.float32), cover)


def _drill(rng: np.random.Generator, stage: Stage, face: Vector, shade: Shade, light: Vector) -> None:
    """A grid of bolt holes on a face, away from its edges."""
    frame, pitch = frame_of(face), float(rng.uniform(0.1, 0.2))
    local = np.column_stack([(face - frame.origin) @ frame.right, (face - frame.origin) @ frame.up]).astype(np.float32)
    low, high = local.min(axis=0), local.max(axis=0)
    steps_x, steps_y = np.meshgrid(
        np.arange(low[0] + pitch / 2, high[0], pitch), np.arange(low[1] + pitch / 2, high[1], pitch)
    )
    color = to_linear(shade.rgb) * light * 0.15
    for x_m, y_m in zip(steps_x.ravel().tolist(), steps_y.ravel().tolist(), strict=True):
        if cv2.pointPolygonTest(local, (x_m, y_m), True) > 0.03:
            ring = [(x_m + 0.006 * math.cos(a), y_m + 0.006 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 9)[:-1]]
            points = np.stack([frame.origin + a * frame.right + b * frame.up for a, b in ring])
            stage.fill(stage.camera.project(points), color)


def _print_logo(rng: np.random.Generator, stage: Stage, volume: Volume) -> None:
    """A maker's mark: a few thick dark strokes on the largest visible face."""
    faces = visible_faces(stage, volume)
    if not faces:
        return
    face = max(faces, key=_area)
    frame, size = frame_of(face), 0.12 * math.sqrt(_area(face))
    for index in range(int(rng.integers(3, 6))):
        start = np.array([index * 0.7 - 1.2, rng.uniform(-0.5, 0.5)]) * size
        end = start + rng.uniform(-0.6, 0.6, 2) * size
        across = np.array([start[1] - end[1], end[0] - start[0]])
        across *= 0.12 * size / (np.linalg.norm(across) + 1e-6)
        corners = [start + across, end + across, end - across, start - across]
        world = np.stack([frame.origin + c[0] * frame.right + c[1] * frame.up for c in corners])
        stage.fill(stage.camera.project(world), np.full(3, 0.03))


def _cast_shadow(stage: Stage, volume: Volume) -> None:
    """Each lamp's shadow on the wall: the hull of the base and of the tops slid along the light."""
    middle = volume.base.mean(axis=0)
    frame = Frame.on_wall(float(middle[0]), float(middle[1]))
    total = stage.lighting.on_facet(frame)
    height = float(volume.top[:, 2].max())
    for lamp in stage.lighting.lamps:
        toward, power = lamp.arriving(middle + np.array([0, 0, height]))
        slide = -toward[:2] / max(0.3, float(toward[2]))
        fallen = volume.top.copy()
        fallen[:, :2] += slide * volume.top[:, 2:]
        fallen[:, 2] = 0
        pixels = stage.camera.project(np.concatenate([volume.base, fallen])).astype(np.float32)
        hull = cv2.convexHull(pixels)[:, 0].astype(np.float64)
        blur = max(0.8, 0.06 * height * _scale(stage, volume))
        window = stage.window(hull.min(axis=0) - 3 * blur - 2, hull.max(axis=0) + 3 * blur + 2)
        if not window.empty:
            shadow = cv2.GaussianBlur(polygon_cover(hull, window), (0, 0), blur)
            stage.dim(window, np.asarray(shadow, np.float32), power * max(0.0, float(toward[2])) / total * 0.9)
