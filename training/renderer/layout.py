"""What is screwed onto the wall and where: volumes, boulder problems of one color, foot chips, tags."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from training.renderer.camera import Frame, Vector
from training.renderer.forms import Form, draw_form, draw_kinds
from training.renderer.hold import PlacedHold
from training.renderer.palette import VOLUME_SHADES, Shade, draw_names, draw_shade
from training.renderer.view import View
from training.renderer.volume import Volume, draw_volume, frame_of
from training.renderer.wall import Facets

TRIES = 30
FREE_TURN = {"sloper", "disc", "foot", "gem", "rail", "crescent", "cluster", "three_arms", "drop"}


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much hangs on a wall: holds, volumes and different hold colors."""

    holds: int
    volumes: int
    colors: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything on one wall; `tagged` are indices of `holds` with a tag of kind `tag` under them."""

    volumes: tuple[Volume, ...]
    holds: tuple[PlacedHold, ...]
    tag: str
    tagged: frozenset[int]

    def touched_xyr(self) -> Vector:
        """(N, 3) x, y and radius in meters of what climbers touch."""
        spots = [(*hold.frame.origin[:2], hold.half_m) for hold in self.holds]
        spots += [(*volume.base.mean(axis=0)[:2], volume.radius_m * 0.7) for volume in self.volumes]
        return np.array(spots, float).reshape(-1, 3)


def draw_amounts(rng: np.random.Generator) -> Amounts:
    """As real photos have them: 15 to 130 holds, half of them 40 to 70."""
    holds = int(np.clip(rng.lognormal(math.log(50), 0.42), 12, 150))
    volumes = int(rng.choice([0, 1, 2, 3, 4, 6, 8], p=[0.17, 0.15, 0.18, 0.18, 0.15, 0.11, 0.06]))
    return Amounts(holds, volumes, int(rng.integers(4, 12)))


@dataclass(frozen=True, slots=True)
class _Style:
    """What the holds of one problem have in common."""

    shade: Shade
    kinds: tuple[str, ...]
    scale: float
    gloss: float
    chalk: float


class _Room:
    """Discs on the wall that are taken."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float, float]] = []

    def free(self, x_m: float, y_m: float, radius_m: float, closeness: float) -> bool:
        """Whether a disc keeps `closeness` times the sum of radii from all others."""
        return all(math.hypot(x_m - x, y_m - y) > closeness * (radius_m + r) for x, y, r in self._taken)

    def take(self, x_m: float, y_m: float, radius_m: float) -> None:
        """Reserve a disc."""
        self._taken.append((x_m, y_m, radius_m))


def draw_layout(rng: np.random.Generator, view: View, facets: Facets, amounts: Amounts) -> Layout:
    """Volumes first, then problem after problem until the number of holds is reached or the wall is full."""
    room = _Room()
    volumes = _draw_volumes(rng, view, facets, amounts.volumes, room)
    holds: list[PlacedHold] = []
    starts: set[int] = set()
    names = draw_names(rng, amounts.colors)
    for problem, share in enumerate(_shares(rng, amounts.holds, len(names))):
        style = _draw_style(rng, names[problem % len(names)])
        placed = _draw_problem(rng, view, facets, style, share, problem, room, volumes)
        starts.update(range(len(holds), len(holds) + min(2, len(placed))))
        holds.extend(placed)
    tag = str(rng.choice(["none", "tape", "flag", "label"], p=[0.3, 0.25, 0.3, 0.15]))
    everywhere = tag in ("flag", "label") and rng.random() < 0.3
    tagged = frozenset() if tag == "none" else frozenset(range(len(holds)) if everywhere else starts)
    return Layout(tuple(volumes), tuple(holds), tag, tagged)


def _shares(rng: np.random.Generator, holds: int, colors: int) -> list[int]:
    """Holds per problem: at least one problem per color, 4 to 14 holds each when there are enough."""
    problems = max(colors, round(holds / 9))
    weights = rng.uniform(0.6, 1.6, problems)
    shares = np.maximum(1, np.floor(weights / weights.sum() * holds)).astype(int)
    shares[: max(0, holds - int(shares.sum()))] += 1
    return [int(share) for share in shares]


def _draw_style(rng: np.random.Generator, name: str) -> _Style:
    kinds = tuple(draw_kinds(rng, int(rng.integers(1, 4))))
    gloss = float(rng.choice([rng.uniform(0, 0.3), rng.uniform(0.3, 0.9)], p=[0.6, 0.4]))
    scale = float(rng.choice([rng.lognormal(0, 0.25), 1.8], p=[0.93, 0.07]))
    return _Style(draw_shade(rng, name), kinds, scale, gloss, float(np.clip(rng.normal(0.25, 0.25), 0, 0.9)))


def _draw_volumes(rng: np.random.Generator, view: View, facets: Facets, count: int, room: _Room) -> list[Volume]:
    """Often one set: the same shade, some side by side."""
    found: list[Volume] = []
    shade = VOLUME_SHADES[rng.integers(len(VOLUME_SHADES))]
    for _ in range(count):
        if rng.random() < 0.25:
            shade = VOLUME_SHADES[rng.integers(len(VOLUME_SHADES))]
        radius = float(np.clip(rng.lognormal(math.log(0.36), 0.35), 0.15, 0.8))
        for _ in range(TRIES):
            x_m, y_m = view.anywhere(rng)
            if found and rng.random() < 0.5:
                x_m, y_m = (found[-1].base.mean(axis=0)[:2] + rng.normal(0, 1.2 * radius, 2)).tolist()
            if view.sees(x_m, y_m, 0.03) and y_m > radius and room.free(x_m, y_m, radius, 0.85):
                found.append(draw_volume(rng, (x_m, y_m), radius, shade, facets.light_at(x_m, y_m)))
                room.take(x_m, y_m, 0.8 * radius)
                break
    return found


def _draw_problem(
    rng: np.random.Generator, view: View, facets: Facets, style: _Style, count: int, problem: int, room: _Room, volumes: list[Volume]
) -> list[PlacedHold]:
    """A line of handholds upward with foot chips below them."""
    at_x, at_y = view.anywhere(rng)
    at_y = min(at_y, view.center[1])
    found: list[PlacedHold] = []
    for attempt in range(4 * count):
        if len(found) == count:
            break
        foot = attempt > 0 and rng.random() < 0.33
        form, half_m = draw_form(rng, "foot" if foot else style.kinds[rng.integers(len(style.kinds))])
        half_m = half_m if foot else half_m * style.scale * float(rng.lognormal(0, 0.15))
        if volumes and rng.random() < 0.13:
            frame = _spot_on_volume(rng, volumes, half_m, room)
        else:
            frame = _spot_on_wall(rng, view, (at_x, at_y), half_m, room, foot)
        if frame is None:
            continue
        found.append(_screwed_on(rng, frame, form, half_m, style, facets, problem))
        if not foot:
            at_x, at_y = float(frame.origin[0]), float(frame.origin[1])
    return found


def _spot_on_wall(
    rng: np.random.Generator, view: View, last_xy: tuple[float, float], half_m: float, room: _Room, foot: bool
) -> Frame | None:
    """A free place a move away from the last hold, else anywhere."""
    for attempt in range(TRIES):
        if attempt < TRIES // 2:
            x_m = last_xy[0] + rng.normal(0, 0.5)
            y_m = last_xy[1] + (-rng.uniform(0.2, 1.0) if foot else rng.normal(0.3, 0.35))
        else:
            x_m, y_m = view.anywhere(rng)
        closeness = 0.78 if rng.random() < 0.15 else 1.05
        if view.sees(x_m, y_m) and room.free(x_m, y_m, half_m, closeness):
            room.take(x_m, y_m, half_m)
            return Frame.on_wall(float(x_m), float(y_m))
    return None


def _spot_on_volume(rng: np.random.Generator, volumes: list[Volume], half_m: float, room: _Room) -> Frame | None:
    """A free place on a large enough face that leans toward the photographer."""
    volume = volumes[rng.integers(len(volumes))]
    for _ in range(TRIES // 3):
        faces = volume.faces()
        face = faces[rng.integers(len(faces))]
        frame = frame_of(face)
        weights = rng.dirichlet(np.full(len(face), 3.0))
        spot = weights @ face
        reach = min(_distance_to_edge(face, i, spot) for i in range(len(face)))
        if frame.out[2] > 0.4 and reach > 0.6 * half_m and room.free(float(spot[0]), float(spot[1]), 0.3 * half_m, 0.0):
            if all(math.hypot(spot[0] - x, spot[1] - y) > half_m + r or r > 0.3 for x, y, r in room._taken):
                room.take(float(spot[0]), float(spot[1]), half_m)
                return Frame(spot, frame.right, frame.up, frame.out)
    return None


def _distance_to_edge(face: Vector, index: int, spot: Vector) -> float:
    """Meters from a point of a face to the line through two neighboring corners."""
    start, end = face[index - 1], face[index]
    along = (end - start) / (np.linalg.norm(end - start) + 1e-9)
    offset = spot - start
    return float(np.linalg.norm(offset - (offset @ along) * along))


def _screwed_on(
    rng: np.random.Generator, frame: Frame, form: Form, half_m: float, style: _Style, facets: Facets, problem: int
) -> PlacedHold:
    """Give a hold its rotation, wear and light."""
    free = form.name in FREE_TURN and rng.random() < 0.6
    turn = float(rng.uniform(0, 2 * math.pi) if free else rng.normal(0, 0.35))
    chalk = float(np.clip(style.chalk + rng.normal(0, 0.15), 0, 1)) * (0.5 if form.name == "foot" else 1.0)
    light = facets.light_at(float(frame.origin[0]), float(frame.origin[1]))
    return PlacedHold(frame, form, half_m, turn, style.shade, style.gloss, chalk, light, problem)
