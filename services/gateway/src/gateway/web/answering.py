"""How the gateway's knowledge becomes the JSON of the HTTP API. Coordinates are rounded to 0.1 pixels."""

from typing import cast

import msgspec

from gateway import domain
from gateway.problems import by_hold
from gateway.web.answers import (
    NO_ANSWER,
    Analysis,
    Color,
    ColorGuess,
    ColorsEvent,
    FoundHold,
    Hold,
    HoldColor,
    HoldsEvent,
    Models,
    Palette,
    PaletteColor,
    Point,
    Problem,
    Receipt,
    Size,
    Stage,
    Timings,
)

_POINT = "[%.1f,%.1f]"


def analysis(known: domain.Analysis, outlines: list[FoundHold]) -> Analysis:
    """The whole answer, without its caller's request id; `outlines` are those of its holds."""
    problem_ids = by_hold(known.problems)
    missing = Color(domain.UNKNOWN, 0.0, None, NO_ANSWER)
    colors = {hold_id: color(found) for hold_id, found in known.colors.items()}
    return Analysis(
        request_id="",
        image=Size(known.size.width, known.size.height),
        holds=[
            Hold(
                outline.id,
                outline.kind,
                outline.confidence,
                outline.box,
                outline.polygon,
                outline.area_px,
                color=colors.get(outline.id, missing),
                problem_id=problem_ids.get(outline.id),
            )
            for outline in outlines
        ],
        problems=[_problem(problem) for problem in known.problems],
        degraded=list(known.degraded),
        models=_models(known.models),
        timings_ms=_timings(known.timings),
        receipts=[_receipt(receipt, known.models.get(receipt.service)) for receipt in known.receipts],
    )


def holds(found: domain.HoldsFound) -> HoldsEvent:
    """The outlines without colors."""
    return HoldsEvent(Size(found.size.width, found.size.height), [_outline(hold) for hold in found.holds])


def colors(found: domain.ColorsFound) -> ColorsEvent:
    """The colors of one chunk."""
    return ColorsEvent([HoldColor(hold_id, color(one)) for hold_id, one in found.colors.items()])


def color(found: domain.Color) -> Color:
    """A hold's color."""
    guesses = tuple(ColorGuess(guess.name, round(guess.confidence, 4)) for guess in found.guesses)
    return Color(found.name, round(found.confidence, 4), found.rgb, found.reason, guesses)


def palette(known: tuple[domain.PaletteColor, ...]) -> Palette:
    """The palette."""
    return Palette([PaletteColor(one.name, list(one.prompts), one.display) for one in known])


def _outline(hold: domain.Hold) -> FoundHold:
    """A hold without its color; the polygon, most of its size, is encoded here for all events that tell it."""
    polygon = msgspec.Raw(_polygon_json(hold.polygon_xy))
    return FoundHold(
        hold.id, hold.kind, round(hold.confidence, 4), _box(hold.box), cast("list[Point]", polygon), hold.area_px
    )


def _polygon_json(xy: tuple[float, ...]) -> bytes:
    """[[x, y], ...]; written all at once, in two thirds of the time that rounding and encoding would take."""
    points = ",".join([_POINT] * (len(xy) // 2))
    return f"[{points}]".encode() % xy


def _box(box: domain.Box) -> domain.Box:
    return (round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1))


def _problem(known: domain.Problem) -> Problem:
    return Problem(
        id=known.id,
        color=known.color,
        hold_ids=list(known.hold_ids),
        hold_count=len(known.hold_ids),
        box=_box(known.box),
        rgb=known.rgb,
        confidence=round(known.confidence, 4),
        height_span=round(known.height_span, 4),
        reach_mean=round(known.reach_mean, 4),
        reach_max=round(known.reach_max, 4),
        small_share=round(known.small_share, 4),
    )


def _models(known: dict[str, domain.Model]) -> Models:
    named = {service: model.label for service, model in known.items()}
    return Models(named["detector"], named.get("colorizer"))


def _timings(known: domain.Timings) -> Timings:
    return Timings(
        decode=round(known.decode_ms, 1),
        detect=round(known.detect_ms, 1),
        color=round(known.color_ms, 1),
        total=round(known.total_ms, 1),
    )


def _receipt(receipt: domain.Receipt, model: domain.Model | None) -> Receipt:
    stages = [
        Stage(stage.name, round(stage.duration_ms, 1), stage.memory_before_bytes, stage.memory_after_bytes)
        for stage in receipt.stages
    ]
    return Receipt(receipt.service, None if model is None else model.sha256, stages)
