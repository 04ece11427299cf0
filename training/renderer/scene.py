"""Render one wall: draw a view, a wall, what hangs on it, the light; paint from back to front; develop the photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer.camera import Frame
from training.renderer.climber import draw_climber, paint_climber
from training.renderer.develop import develop
from training.renderer.finishes import FINISHES, PAIRS
from training.renderer.hold import paint_hold
from training.renderer.layout import Amounts, Layout, draw_amounts, draw_layout
from training.renderer.lighting import draw_lighting
from training.renderer.stage import Stage
from training.renderer.surroundings import paint_floor, paint_hall, paint_neighbor
from training.renderer.tags import hang_tag, under_hold
from training.renderer.truth import RenderedHold, RenderedWall
from training.renderer.view import View, draw_view
from training.renderer.volume import paint_volume
from training.renderer.wall import draw_facets, paint_wall, photograph, seen_rect

SMALLEST_SHARE = 2e-5
"""Smaller visible parts, as a share of the photo's squared longer side, are left out of the truth."""


def render_wall(
    seed: int,
    width: int = 960,
    height: int = 1280,
    *,
    amounts: Amounts | None = None,
    finishes: tuple[str, str] | None = None,
    closeness: float = 1.0,
) -> RenderedWall:
    """A photo of a climbing wall that does not exist, with exact truth.

    Args:
        seed: The same seed and arguments give the same pixels.
        width: Photo width, pixels.
        height: Photo height, pixels; details scale with the photo.
        amounts: How many holds, volumes, colors and people; drawn like real photos when None.
        finishes: Two keys of `FINISHES`; drawn when None.
        closeness: Above 1 the photographer stands nearer and holds are larger.

    Example:
        >>> wall = render_wall(7, 120, 160)
        >>> wall.rgb.shape
        (160, 120, 3)
    """
    rng = np.random.default_rng(seed)
    view = draw_view(rng, (width, height), closeness)
    pair = finishes or PAIRS[rng.integers(len(PAIRS))]
    cuts = int(rng.choice([0, 1, 2, 3], p=[0.2, 0.3, 0.3, 0.2]))
    facets = draw_facets(rng, (float(view.center[0]), float(view.center[1])), cuts)
    amounts = amounts or draw_amounts(rng)
    layout = draw_layout(rng, view, facets, amounts)
    lighting = draw_lighting(rng, view.center)
    rect = seen_rect(view.camera, view.size_wh, view.top_m)
    albedo = paint_wall(_own(rng), rect, facets, pair, layout.touched_xyr())
    linear = photograph(albedo, rect, view.camera, lighting, view.size_wh)
    stage = Stage(linear, np.full((height, width), -1, np.int32), view.camera, lighting)
    paint_hall(_own(rng), stage, view.top_m)
    paint_floor(_own(rng), stage)
    _paint_layout(rng, stage, layout)
    _paint_clutter(rng, stage, view, amounts.people, pair)
    return RenderedWall(develop(_own(rng), stage.linear), _truth(stage.owner, layout), pair)


def _own(rng: np.random.Generator) -> np.random.Generator:
    """A generator for one thing, so that how much noise it needs does not change what comes after it."""
    return rng.spawn(1)[0]


def _paint_layout(rng: np.random.Generator, stage: Stage, layout: Layout) -> None:
    """What is screwed on: volumes own 0.., holds the numbers after them; low holds come first."""
    for number, volume in enumerate(layout.volumes):
        paint_volume(_own(rng), stage, volume, number)
    first = len(layout.volumes)
    for index in sorted(range(len(layout.holds)), key=lambda i: float(layout.holds[i].frame.origin[1])):
        hold = layout.holds[index]
        if index in layout.tagged:
            hang_tag(_own(rng), stage, layout.tag, under_hold(_own(rng), hold), hold.shade.rgb)
        paint_hold(_own(rng), stage, hold, first + index)


def _paint_clutter(rng: np.random.Generator, stage: Stage, view: View, people: int, pair: tuple[str, str]) -> None:
    """What is no hold and may hide some: loose cards, people, the edge of a neighboring wall."""
    for _ in range(int(rng.integers(0, 3))):
        x_m, y_m = view.anywhere(rng)
        hang_tag(_own(rng), stage, "label", Frame.on_wall(x_m, y_m), (0, 0, 0))
    for _ in range(people):
        paint_climber(_own(rng), stage, draw_climber(rng, view.anywhere(rng)))
    if rng.random() < 0.2:
        paint_neighbor(_own(rng), stage, FINISHES[pair[int(rng.integers(2))]].light)


def _truth(owner: NDArray[np.int32], layout: Layout) -> tuple[RenderedHold, ...]:
    """Cut every visible part out of the owner map."""
    least_px = SMALLEST_SHARE * max(owner.shape) ** 2
    found = []
    for number in np.flatnonzero(np.bincount(owner.ravel() + 1)[1:] > least_px).tolist():
        seen = owner == number
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        found.append(_named(number, layout, box, seen[box[1] : box[3], box[0] : box[2]].copy()))
    return tuple(found)


def _named(number: int, layout: Layout, box: tuple[int, int, int, int], mask: NDArray[np.bool_]) -> RenderedHold:
    """Attach what the layout knows about owner `number`."""
    if number < len(layout.volumes):
        volume = layout.volumes[number]
        shade = volume.shade
        return RenderedHold("volume", volume.shape, shade.name, shade.alt, shade.rgb, volume.wooden, None, box, mask)
    hold = layout.holds[number - len(layout.volumes)]
    shade, hard = hold.shade, hold.chalk > 0.75
    return RenderedHold("hold", hold.form.name, shade.name, shade.alt, shade.rgb, hard, hold.problem, box, mask)
