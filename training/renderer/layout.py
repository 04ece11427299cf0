"""What is screwed onto the wall and where: volumes, boulder problems of one color, foot chips, tags."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from training.renderer.camera import Frame, Vector
from training.renderer.catalog import draw_form, draw_kinds
from training.renderer.forms import Form
from training.renderer.hold import PlacedHold
from training.renderer.palette import VOLUME_SHADES, Shade, draw_names, draw_shade
from training.renderer.view import View
from training.renderer.volume import Volume, distance_to_edges, draw_volume, frame_of
from training.renderer.wall import Facets

TRIES = 30
FREE_TURN = {"sloper", "disc", "foot", "gem", "rail", "crescent", "cluster", "three_arms", "drop"}
"""Forms that setters screw on in any direction."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much hangs on a wall: holds, volumes and different hold colors; and people in front of it."""

    holds: int
    volumes: int
    colors: int
    people: int = 0


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
    """As real photos have them: 12 to 150 holds, half of them 40 to 70."""
    holds = int(np.clip(rng.lognormal(math.log(52), 0.42), 12, 150))
    volumes = int(rng.choice([0, 1, 2, 3, 4, 6, 8], p=[0.17, 0.15, 0.18, 0.18, 0.15, 0.11, 0.06]))
    people = int(rng.choice([0, 1, 2], p=[0.8, 0.15, 0.05]))
    return Amounts(holds, volumes, int(rng.integers(4, 12)), people)


def draw_layout(rng: np.random.Generator, view: View, facets: Facets, amounts: Amounts) -> Layout:
    """Volumes first, then problem after problem until the number of holds is reached or the wall is full."""
    setter = _Setter(rng, view, facets)
    setter.hang_volumes(amounts.volumes)
    holds: list[PlacedHold] = []
    starts: set[int] = set()
    names = draw_names(rng, amounts.colors)
    for problem, share in enumerate(_shares(rng, amounts.holds, len(names))):
        placed = setter.set_problem(_draw_style(rng, names[problem % len(names)]), share, problem)
        starts.update(range(len(holds), len(holds) + min(2, len(placed))))
        holds.extend(placed)
    tag = str(rng.choice(["none", "tape", "flag", "label"], p=[0.3, 0.25, 0.3, 0.15]))
    everywhere = tag in {"flag", "label"} and rng.random() < 0.3
    tagged = range(len(holds)) if everywhere else starts
    return Layout(tuple(setter.volumes), tuple(holds), tag, frozenset(() if tag == "none" else tagged))


def _shares(rng: np.random.Generator, holds: int, colors: int) -> list[int]:
    """Holds per problem: a problem per color or more, about nine holds each when there are enough."""
    problems = min(holds, max(colors, round(holds / 9)))
    if problems == 0:
        return []
    weights = rng.uniform(0.6, 1.6, problems)
    shares = np.maximum(1, np.floor(weights / weights.sum() * holds)).astype(int)
    shares[: max(0, holds - int(shares.sum()))] += 1
    return [int(share) for share in shares]


@dataclass(frozen=True, slots=True)
class _Style:
    """What the holds of one problem have in common."""

    shade: Shade
    kinds: tuple[str, ...]
    scale: float
    gloss: float
    chalk: float
    patina: float


def _draw_style(rng: np.random.Generator, name: str) -> _Style:
    return _Style(
        shade=draw_shade(rng, name),
        kinds=tuple(draw_kinds(rng, int(rng.integers(1, 4)))),
        scale=float(rng.choice([rng.lognormal(0, 0.25), 1.8], p=[0.93, 0.07])),
        gloss=float(rng.choice([rng.uniform(0, 0.3), rng.uniform(0.3, 0.9)], p=[0.5, 0.5])),
        chalk=float(np.clip(rng.normal(0.25, 0.25), 0, 0.9)),
        patina=float(rng.beta(1.2, 6) * 0.6),
    )


class _Setter:
    """A route setter: hangs things on one wall and remembers which places are taken."""

    def __init__(self, rng: np.random.Generator, view: View, facets: Facets) -> None:
        self.volumes: list[Volume] = []
        self._rng, self._view, self._facets = rng, view, facets
        self._taken: list[tuple[float, float, float]] = []

    def hang_volumes(self, count: int) -> None:
        """Often one set: the same shade, some side by side."""
        rng = self._rng
        shade = VOLUME_SHADES[rng.integers(len(VOLUME_SHADES))]
        for _ in range(count):
            if rng.random() < 0.25:
                shade = VOLUME_SHADES[rng.integers(len(VOLUME_SHADES))]
            radius = float(np.clip(rng.lognormal(math.log(0.34), 0.4), 0.13, 0.8))
            middle = self._place_for_volume(radius)
            if middle is not None:
                self.volumes.append(draw_volume(rng, middle, radius, shade, self._facets.light_at(*middle)))
                self._taken.append((*middle, 0.8 * radius))

    def set_problem(self, style: _Style, count: int, problem: int) -> list[PlacedHold]:
        """A line of handholds upward with foot chips below them; fewer than `count` when the wall is full."""
        rng = self._rng
        x_m, y_m = self._view.anywhere(rng)
        last = x_m, min(y_m, float(self._view.center[1]))
        found: list[PlacedHold] = []
        for attempt in range(4 * count):
            if len(found) == count:
                break
            foot = attempt > 0 and rng.random() < 0.33
            form, half_m = draw_form(rng, "foot" if foot else style.kinds[rng.integers(len(style.kinds))])
            half_m = half_m if foot else half_m * style.scale * float(rng.lognormal(0, 0.15))
            on_volume = bool(self.volumes) and rng.random() < 0.13
            frame = self._spot_on_volume(half_m) if on_volume else self._spot_on_wall(last, half_m, foot=foot)
            if frame is not None:
                found.append(self._screwed_on(frame, form, half_m, style, problem=problem))
                last = last if foot else (float(frame.origin[0]), float(frame.origin[1]))
        return found

    def _free(self, x_m: float, y_m: float, radius_m: float, closeness: float) -> bool:
        """Whether a disc keeps `closeness` times the sum of radii from all others."""
        return all(math.hypot(x_m - x, y_m - y) > closeness * (radius_m + r) for x, y, r in self._taken)

    def _place_for_volume(self, radius_m: float) -> tuple[float, float] | None:
        rng = self._rng
        for _ in range(TRIES):
            x_m, y_m = self._view.anywhere(rng)
            if self.volumes and rng.random() < 0.5:
                x_m, y_m = (self.volumes[-1].base.mean(axis=0)[:2] + rng.normal(0, 1.2 * radius_m, 2)).tolist()
            fits = radius_m < y_m < self._view.top_m - 0.9 * radius_m and self._view.sees(x_m, y_m, 0.03)
            if fits and self._free(x_m, y_m, radius_m, 0.85):
                return float(x_m), float(y_m)
        return None

    def _spot_on_wall(self, last_xy: tuple[float, float], half_m: float, *, foot: bool) -> Frame | None:
        """A free place a move away from the last hold, else anywhere."""
        rng = self._rng
        for attempt in range(TRIES):
            x_m, y_m = self._view.anywhere(rng)
            if attempt < TRIES // 2:
                x_m = float(last_xy[0] + rng.normal(0, 0.5))
                y_m = float(last_xy[1] + (-rng.uniform(0.2, 1.0) if foot else rng.normal(0.3, 0.35)))
            closeness = 0.78 if rng.random() < 0.15 else 1.05
            between = 0.8 * half_m < y_m < self._view.top_m - half_m
            if between and self._view.sees(x_m, y_m) and self._free(x_m, y_m, half_m, closeness):
                self._taken.append((x_m, y_m, half_m))
                return Frame.on_wall(x_m, y_m)
        return None

    def _spot_on_volume(self, half_m: float) -> Frame | None:
        """A free place on a large enough face that leans toward the photographer."""
        rng = self._rng
        faces = self.volumes[rng.integers(len(self.volumes))].faces()
        for _ in range(TRIES // 3):
            face = faces[rng.integers(len(faces))]
            frame = frame_of(face)
            spot = rng.dirichlet(np.full(len(face), 3.0)) @ face
            fits = frame.out[2] > 0.4 and distance_to_edges(face, spot) > 0.6 * half_m
            if fits and self._clear_of_holds(float(spot[0]), float(spot[1]), half_m):
                self._taken.append((float(spot[0]), float(spot[1]), half_m))
                return Frame(spot, frame.right, frame.up, frame.out)
        return None

    def _clear_of_holds(self, x_m: float, y_m: float, half_m: float) -> bool:
        """Like `_free`, but volumes, which were taken first, do not count."""
        return all(math.hypot(x_m - x, y_m - y) > half_m + r for x, y, r in self._taken[len(self.volumes) :])

    def _screwed_on(self, frame: Frame, form: Form, half_m: float, style: _Style, *, problem: int) -> PlacedHold:
        """Give a hold its rotation, wear and light."""
        rng = self._rng
        free = form.name in FREE_TURN and rng.random() < 0.6
        chalk = float(np.clip(style.chalk + rng.normal(0, 0.15), 0, 1))
        return PlacedHold(
            frame=frame,
            form=form,
            half_m=half_m,
            turn=float(rng.uniform(0, 2 * math.pi) if free else rng.normal(0, 0.35)),
            shade=style.shade,
            gloss=style.gloss,
            chalk=chalk * (0.5 if form.name == "foot" else 1.0),
            patina=style.patina,
            facet_light=self._facets.light_at(float(frame.origin[0]), float(frame.origin[1])),
            problem=problem,
        )
