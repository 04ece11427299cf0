"""An analysis as a stream of events: what every face of the gateway, HTTP or gRPC, shows in its own way."""

import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field

from servicekit import receipts
from servicekit.budget import MemoryBudget

from gateway import problems
from gateway.admission import OUTLINE_BYTES, answer_bytes
from gateway.coloring import Scatter
from gateway.deadline import Deadline
from gateway.domain import (
    Analysis,
    Color,
    Coloring,
    ColorsFound,
    Detection,
    Event,
    HoldsFound,
    Lack,
    Looks,
    Model,
    Options,
    Progress,
    Receipt,
    Stage,
    Timings,
)
from gateway.photo import Photo
from gateway.upstream import Detector

_PERCENT_RECEIVED, _PERCENT_DETECTING, _PERCENT_COLORING, _PERCENT_GROUPING = 5, 10, 55, 95


class Analyzer:
    """Analyzes photos by asking the model services; holds no pixels of its own."""

    def __init__(
        self,
        detector: Detector,
        scatter: Scatter,
        *,
        answers: MemoryBudget,
        max_holds: int,
        observe: Callable[[Analysis], None],
    ) -> None:
        """Put the parts together.

        Args:
            detector: Finds the holds.
            scatter: Names their colors.
            answers: Room for what the detector answers.
            max_holds: How many holds to ask for where a caller does not say.
            observe: Told of every finished analysis.
        """
        self._detector = detector
        self._scatter = scatter
        self._answers = answers
        self._max_holds = max_holds
        self._observe = observe

    async def analyze(
        self, photo: Photo, options: Options, *, deadline: Deadline, request_id: str
    ) -> AsyncGenerator[Event, None]:
        """Take a photo and analyze it. Closing the generator stops the services' work for it.

        Yields:
            Progress in between, the holds, their colors chunk by chunk in the order in which they land, and the
            `Analysis` last. A colorizer that fails or is late costs the colors, not the analysis.

        Raises:
            ServiceError: What the detector failed with, `Overloaded` when there is no room for its answer, or
                `InvalidParameter` when the colorizer cannot use the caller's palette.
        """
        start_s = time.perf_counter()
        yield Progress("received", _PERCENT_RECEIVED)
        max_holds = options.max_holds or self._max_holds
        async with self._answers.reserve(answer_bytes(max_holds)) as room:
            yield Progress("detecting", _PERCENT_DETECTING)
            with receipts.stage("detect"):
                asked = Options(max_holds, options.min_confidence)
                found = await self._detector.detect(photo, asked, timeout_s=deadline.work_s())
            room.shrink_to(answer_bytes(len(found.holds)))

            colors = _Colors()
            async with contextlib.aclosing(
                self._color(found, colors, Looks(found.light, options.palette), deadline)
            ) as events:
                async for event in events:
                    yield event
            room.shrink_to(len(found.holds) * OUTLINE_BYTES)

            yield Progress("grouping", _PERCENT_GROUPING)
            analysis = _analysis(request_id, found, colors, options.min_holds, start_s)
            self._observe(analysis)
            yield Progress("done", 100)
            yield analysis

    async def _color(
        self, found: Detection, colors: "_Colors", looks: Looks, deadline: Deadline
    ) -> AsyncGenerator[Event, None]:
        """Tell the holds while the colorizer is at work on them; takes their crops."""
        start_s = time.perf_counter()
        with receipts.stage("color"):
            async with self._scatter.coloring(found.crops, deadline, looks) as chunks:
                yield HoldsFound(found.size, found.holds)
                yield Progress("coloring", _PERCENT_COLORING)
                async for chunk in chunks:
                    if chunk.coloring is not None:
                        colors.add(chunk.coloring)
                        yield ColorsFound(chunk.coloring.colors)
                    colors.ended += chunk.size
                    yield Progress("coloring", _color_percent(colors.ended, len(found.holds)))
        colors.duration_ms = _ms_since(start_s) if found.holds else 0.0


@dataclass(slots=True)
class _Colors:
    """What has come back from the colorizer so far; `ended` counts the holds of all ended chunks, colored or not."""

    by_hold: dict[int, Color] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    model: Model | None = None
    ended: int = 0
    duration_ms: float = 0.0

    def add(self, chunk: Coloring) -> None:
        self.by_hold |= chunk.colors
        self.stages.extend(chunk.stages)
        self.model = chunk.model


def _analysis(request_id: str, found: Detection, colors: _Colors, min_holds: int, start_s: float) -> Analysis:
    return Analysis(
        request_id=request_id,
        size=found.size,
        holds=found.holds,
        colors=colors.by_hold,
        problems=problems.group(found.holds, colors.by_hold, min_holds=min_holds),
        degraded=tuple(_lacks(found, colors)),
        models={"detector": found.model} | ({"colorizer": colors.model} if colors.model else {}),
        timings=_timings(found.stages, colors.duration_ms, _ms_since(start_s)),
        receipts=_receipts(found, colors),
    )


def _lacks(found: Detection, colors: _Colors) -> Iterator[Lack]:
    if not all(hold.id in colors.by_hold for hold in found.holds):
        yield "colors"
    if found.reduced_resolution:
        yield "resolution"
    if found.damaged:
        yield "damaged"


def _color_percent(ended: int, of: int) -> int:
    return _PERCENT_COLORING + (_PERCENT_GROUPING - _PERCENT_COLORING) * ended // of


def _timings(detector_stages: tuple[Stage, ...], color_ms: float, total_ms: float) -> Timings:
    decode_ms = sum(stage.duration_ms for stage in detector_stages if stage.name == "decode")
    detect_ms = sum(stage.duration_ms for stage in detector_stages) - decode_ms
    return Timings(decode_ms, detect_ms, color_ms, total_ms)


def _receipts(found: Detection, colors: _Colors) -> tuple[Receipt, ...]:
    """What each service's work cost; the gateway's own stages are the waits for the others."""
    own = receipts.current_receipt()
    stages = (
        ()
        if own is None
        else tuple(
            Stage(stage.name, stage.duration_ms, stage.memory_before_bytes, stage.memory_after_bytes)
            for stage in own.stages
        )
    )
    named = {"gateway": stages, "detector": found.stages, "colorizer": tuple(colors.stages)}
    return tuple(Receipt(service, stages) for service, stages in named.items() if stages)


def _ms_since(start_s: float) -> float:
    return (time.perf_counter() - start_s) * 1000
