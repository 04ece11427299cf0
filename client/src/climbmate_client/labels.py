"""Chooses where the problems' labels go: beside one of their holds, on as little of anything else as possible."""

from collections.abc import Iterable, Iterator, Mapping

from climbmate_client.answers import Analysis, Box

_OTHER_LABEL_WEIGHT = 20.0  # covering a label is worse than covering a hold


def place_labels(
    analysis: Analysis, sizes_wh: Mapping[str, tuple[float, float]], *, scale: float, canvas_wh: tuple[float, float]
) -> dict[str, tuple[float, float]]:
    """Place one label for each problem, at its lowest hold where all spots are as good: problems start there.

    Args:
        analysis: The problems and the holds.
        sizes_wh: Width and height of each problem's label on the canvas, pixels.
        scale: Canvas pixels for one pixel of the photo.
        canvas_wh: Width and height of the canvas, pixels.

    Returns:
        The upper left corner of each problem's label on the canvas; the whole label is inside where it fits at all.
    """
    boxes = {hold.id: _scaled(hold.box, scale) for hold in analysis.holds}
    labels: list[Box] = []
    corners = {}
    for problem in analysis.problems:
        own = sorted((boxes[hold_id] for hold_id in problem.hold_ids), key=lambda box: -box[3])
        spots = [_inside(spot, canvas_wh) for box in own for spot in _around(box, sizes_wh[problem.id])]
        best = min(
            spots, key=lambda spot: _covered(spot, boxes.values()) + _OTHER_LABEL_WEIGHT * _covered(spot, labels)
        )
        labels.append(best)
        corners[problem.id] = best[:2]
    return corners


def _scaled(box: Box, scale: float) -> Box:
    return (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)


def _around(box: Box, size_wh: tuple[float, float]) -> Iterator[Box]:
    """Give the spots below, above, right and left of a box, a little apart from it."""
    width, height = size_wh
    gap = height / 4
    middle_x, middle_y = (box[0] + box[2] - width) / 2, (box[1] + box[3] - height) / 2
    for x, y in (
        (middle_x, box[3] + gap),
        (middle_x, box[1] - gap - height),
        (box[2] + gap, middle_y),
        (box[0] - gap - width, middle_y),
    ):
        yield (x, y, x + width, y + height)


def _inside(spot: Box, canvas_wh: tuple[float, float]) -> Box:
    """Move a spot onto the canvas."""
    width, height = spot[2] - spot[0], spot[3] - spot[1]
    x = max(0.0, min(spot[0], canvas_wh[0] - width))
    y = max(0.0, min(spot[1], canvas_wh[1] - height))
    return (x, y, x + width, y + height)


def _covered(spot: Box, boxes: Iterable[Box]) -> float:
    """Sum the areas that a spot covers of boxes."""
    return sum(
        max(0.0, min(spot[2], box[2]) - max(spot[0], box[0])) * max(0.0, min(spot[3], box[3]) - max(spot[1], box[1]))
        for box in boxes
    )
