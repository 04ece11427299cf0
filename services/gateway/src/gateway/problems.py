"""Boulder problems: which holds of a photo belong together, and what a climber wants to know of them.

There are no labels of problems to learn from, so these are rules. Lengths are compared with the wall's height, because
a photo has no scale: a boulder wall is about four meters high, and half of it is more than a climber reaches.
"""

import dataclasses
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gateway import spanning
from gateway.domain import MIN_HOLDS, UNKNOWN, Box, Color, Hold, Problem, Rgb

_FAR_SHARE = 0.5
"""Holds farther apart than this share of the wall's height are not of one problem, ..."""
_FAR_SPACING = 2.0
"""... unless the color is set that sparsely: this many times its usual distance is allowed at least."""
_TINY_SHARE = 0.04
"""A hold with less than this share of its color's median area may be a bolt or a sticker: it has to be half as near."""
_SMALL_SIDE = 0.02
"""A hold is small when the square root of its area is less than this share of the wall's height (8 cm of 4 m)."""
_WALL_COLORS = frozenset(("black", "gray", "white", "brown", "beige"))
"""What walls and uncolored volumes are made of."""


def group(holds: Sequence[Hold], colors: Mapping[int, Color], *, min_holds: int = MIN_HOLDS) -> tuple[Problem, ...]:
    """Group holds of one color into problems.

    Two problems of one color that are far apart are told apart; single holds far from the others join none. A volume
    belongs to the wall unless it is colored: then it joins the holds of its color, but makes no problem without them.
    Holds without a color or of color `unknown` belong to none.

    Args:
        holds: All holds of a photo.
        colors: By hold id; may lack some.
        min_holds: Fewer holds, not counting volumes, give no problem.

    Returns:
        The problems, most holds first, then the higher ones, then by color. Ids count within a color: `red-1`.
    """
    wall = _height(_around([hold.box for hold in holds])) if holds else 1.0
    found = [
        _problem(name, part, colors, wall)
        for name, alike in _by_color(holds, colors).items()
        for part in _parts(alike, wall)
        if sum(hold.kind == "hold" for hold in part.members) >= min_holds
    ]
    found.sort(key=lambda problem: (-len(problem.hold_ids), -problem.height_span, problem.color, problem.hold_ids))
    return tuple(_numbered(found))


def by_hold(problems: Iterable[Problem]) -> dict[int, str]:
    """The problem's id for each hold that belongs to one."""
    return {hold_id: problem.id for problem in problems for hold_id in problem.hold_ids}


def _by_color(holds: Sequence[Hold], colors: Mapping[int, Color]) -> Mapping[str, list[Hold]]:
    alike: dict[str, list[Hold]] = defaultdict(list)
    for hold in sorted(holds, key=lambda hold: hold.id):
        name = colors[hold.id].name if hold.id in colors else UNKNOWN
        if name != UNKNOWN and (hold.kind == "hold" or name not in _WALL_COLORS):
            alike[name].append(hold)
    return alike


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    """Holds that belong together, and the lengths that join them, one fewer."""

    members: list[Hold]
    reaches: list[float]


def _parts(alike: Sequence[Hold], wall: float) -> list[_Part]:
    """Divide the holds of a color where they are far apart; leave out what is tiny and stands alone."""
    usual_area = statistics.median(hold.area_px for hold in alike)
    large = [hold for hold in alike if hold.area_px >= _TINY_SHARE * usual_area]
    edges = spanning.tree([_center(hold) for hold in large])
    far = max(_FAR_SHARE * wall, _FAR_SPACING * statistics.median([edge.length for edge in edges] or [0.0]))
    parts = []
    for places in spanning.clusters(len(large), edges, longest=far):
        reaches = [edge.length for edge in edges if edge.length <= far and edge.one in places]
        parts.append(_Part([large[place] for place in places], reaches))
    for hold in alike:
        if hold.area_px < _TINY_SHARE * usual_area:
            distance, nearest = min((_distance(hold, part), number) for number, part in enumerate(parts))
            if distance <= far / 2:
                parts[nearest].members.append(hold)
                parts[nearest].reaches.append(distance)
    return parts


def _problem(name: str, part: _Part, colors: Mapping[int, Color], wall: float) -> Problem:
    members = part.members
    box = _around([hold.box for hold in members])
    reaches = [reach / wall for reach in part.reaches] or [0.0]
    small = [hold.area_px < (_SMALL_SIDE * wall) ** 2 for hold in members]
    return Problem(
        id=name,
        color=name,
        hold_ids=tuple(sorted(hold.id for hold in members)),
        box=box,
        rgb=_median_rgb([colors[hold.id].rgb for hold in members]),
        confidence=statistics.fmean(hold.confidence * colors[hold.id].confidence for hold in members),
        height_span=_height(box) / wall,
        reach_mean=statistics.fmean(reaches),
        reach_max=max(reaches),
        small_share=sum(small) / len(small),
    )


def _numbered(problems: Sequence[Problem]) -> Iterable[Problem]:
    """Count the problems of each color in the order given."""
    numbers: dict[str, int] = defaultdict(int)
    for problem in problems:
        numbers[problem.color] += 1
        yield dataclasses.replace(problem, id=f"{problem.color}-{numbers[problem.color]}")


def _median_rgb(measured: Iterable[Rgb | None]) -> Rgb | None:
    known = [rgb for rgb in measured if rgb is not None]
    if not known:
        return None
    red, green, blue = (statistics.median_low(channel) for channel in zip(*known, strict=True))
    return (red, green, blue)


def _distance(hold: Hold, part: _Part) -> float:
    """How far a hold is from the nearest of others."""
    return min(math.dist(_center(hold), _center(other)) for other in part.members)


def _center(hold: Hold) -> spanning.Point:
    x_min, y_min, x_max, y_max = hold.box
    return (x_min + x_max) / 2, (y_min + y_max) / 2


def _height(box: Box) -> float:
    return max(1.0, box[3] - box[1])


def _around(boxes: Sequence[Box]) -> Box:
    """The smallest box around at least one box."""
    x_min, y_min, x_max, y_max = zip(*boxes, strict=True)
    return (min(x_min), min(y_min), max(x_max), max(y_max))
