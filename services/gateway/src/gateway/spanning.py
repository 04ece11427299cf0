"""How the holds of a color hang together: the shortest tree that joins them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

Point = tuple[float, float]


class Edge(NamedTuple):
    """Joins two points, given by their places in the list; the length is in the points' unit."""

    one: int
    other: int
    length: float


def tree(points: Sequence[Point]) -> list[Edge]:
    """Join points by the shortest tree (Prim's algorithm, quadratic: 300 points take some 20 ms).

    Returns:
        One edge fewer than points; none for fewer than two.
    """
    if not points:
        return []
    nearest = {place: (math.dist(points[0], points[place]), 0) for place in range(1, len(points))}
    edges = []
    while nearest:
        place = min(nearest, key=nearest.__getitem__)
        length, joined_to = nearest.pop(place)
        edges.append(Edge(joined_to, place, length))
        here = points[place]
        for other, (known, _) in nearest.items():
            if (distance := math.dist(here, points[other])) < known:
                nearest[other] = (distance, place)
    return edges


def clusters(count: int, edges: Sequence[Edge], *, longest: float) -> list[set[int]]:
    """Cut a tree of `count` points where an edge is longer than `longest`; the parts."""
    part_of = {place: {place} for place in range(count)}
    for edge in edges:
        one, other = part_of[edge.one], part_of[edge.other]
        if edge.length <= longest:
            one |= other
            part_of.update(dict.fromkeys(other, one))
    return list({id(part): part for part in part_of.values()}.values())
