"""Boulder problems: which holds of a photo belong together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gateway.domain import UNKNOWN, Box, Color, Hold, Problem

MIN_HOLDS = 3
"""A start, a hold on the way and a top; fewer is not a problem."""


def group(holds: Sequence[Hold], colors: Mapping[int, Color], *, min_holds: int = MIN_HOLDS) -> tuple[Problem, ...]:
    """Group holds of one color into problems.

    Volumes belong to the wall, not to a problem; holds without a color or of color `unknown` belong to none.

    Args:
        holds: All holds of a photo.
        colors: By hold id; may lack some.
        min_holds: A color with fewer holds gives no problem.

    Returns:
        The problems, most holds first, then by color name. Ids count within a color: `red-1`.
    """
    by_color: dict[str, list[Hold]] = defaultdict(list)
    for hold in holds:
        color = colors.get(hold.id)
        if hold.kind == "hold" and color is not None and color.name != UNKNOWN:
            by_color[color.name].append(hold)
    problems = [_problem(name, members) for name, members in by_color.items() if len(members) >= min_holds]
    return tuple(sorted(problems, key=lambda problem: (-len(problem.hold_ids), problem.color)))


def by_hold(problems: Iterable[Problem]) -> dict[int, str]:
    """The problem's id for each hold that belongs to one."""
    return {hold_id: problem.id for problem in problems for hold_id in problem.hold_ids}


def _problem(color: str, members: Sequence[Hold]) -> Problem:
    ids = tuple(sorted(hold.id for hold in members))
    return Problem(id=f"{color}-1", color=color, hold_ids=ids, box=_around([hold.box for hold in members]))


def _around(boxes: Sequence[Box]) -> Box:
    """The smallest box around at least one box."""
    x_min, y_min, x_max, y_max = zip(*boxes, strict=True)
    return (min(x_min), min(y_min), max(x_max), max(y_max))
