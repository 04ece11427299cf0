"""Protobuf messages to what the gateway knows of a photo, and back; nothing else here touches them but the servicer."""

from collections.abc import Iterable, Sequence

from climbmate.analyzer.v1 import analyzer_pb2
from climbmate.colorizer.v1 import colorizer_pb2
from climbmate.detector.v1 import detector_pb2
from climbmate.hold.v1 import hold_pb2
from climbmate.status.v1 import status_pb2

from gateway import domain, messages
from gateway.photo import Photo
from gateway.problems import by_hold

_KINDS: "dict[hold_pb2.HoldKind, domain.HoldKind]" = {
    hold_pb2.HOLD_KIND_HOLD: "hold",
    hold_pb2.HOLD_KIND_VOLUME: "volume",
}
_PHOTO_TAG = bytes([detector_pb2.DetectHoldsRequest.PHOTO_FIELD_NUMBER << 3 | 2])  # 2: a length and bytes follow
_CROP_TAG = bytes([colorizer_pb2.ColorHoldsRequest.CROPS_FIELD_NUMBER << 3 | 2])
_RGB_TAG = bytes([colorizer_pb2.Crop.RGB_FIELD_NUMBER << 3 | 2])
_KIND_NUMBERS = {name: number for number, name in _KINDS.items()}


# From the model services.


def detect_request(photo: Photo, options: domain.Options) -> bytes:
    """Ask the detector for holds and their crops; takes the photo.

    Returns:
        A serialized `DetectHoldsRequest`. Its fields may come in any order, so the photo is put before the others by
        hand: filling and serializing a message would hold it in memory twice more.
    """
    asked = detector_pb2.DetectHoldsRequest(
        max_holds=options.max_holds or 0, min_confidence=options.min_confidence, with_crops=True
    )
    return photo.take(_PHOTO_TAG + _padded_varint(photo.size_bytes), asked.SerializeToString())


def detection(response: detector_pb2.DetectHoldsResponse) -> domain.Detection:
    """Read the detector's answer. Masks and crops are copied once, and shared between hold and crop."""
    holds = tuple(_hold(found.hold) for found in response.holds)
    crops = [
        domain.Crop(hold_id=hold.id, mask=hold.mask, rgb=found.crop_rgb)
        for hold, found in zip(holds, response.holds, strict=True)
    ]
    size = domain.PhotoSize(response.photo_size.width, response.photo_size.height)
    return domain.Detection(
        size,
        holds,
        crops,
        _model(response.model),
        _stages(response.stages),
        reduced_resolution=response.reduced_resolution,
        light=domain.Light(response.light.red, response.light.blue),
        damaged=response.damaged,
    )


def color_request(crops: Sequence[domain.Crop], looks: domain.Looks) -> bytes:
    """Ask the colorizer for the colors of a chunk.

    Returns:
        A serialized `ColorHoldsRequest`. The pixels are put between its fields by hand: filling and serializing a
        message copies them twice more, which takes longer than all else that is done for a chunk.
    """
    parts: list[bytes] = []
    for crop in crops:
        described = colorizer_pb2.Crop(hold_id=crop.hold_id, mask=_mask_proto(crop.mask)).SerializeToString()
        head = described + _RGB_TAG + _padded_varint(len(crop.rgb))
        parts += (_CROP_TAG, _padded_varint(len(head) + len(crop.rgb)), head, crop.rgb)
    looked_for = colorizer_pb2.ColorHoldsRequest(
        palette=[hold_pb2.ColorPrompt(name=color.name, prompt=color.prompt) for color in looks.palette],
        light=hold_pb2.Light(red=looks.light.red, blue=looks.light.blue),
    )
    return b"".join((*parts, looked_for.SerializeToString()))


def coloring(response: colorizer_pb2.ColorHoldsResponse) -> domain.Coloring:
    """Read the colorizer's answer for one chunk."""
    colors = {found.hold_id: _color(found.color) for found in response.colors}
    return domain.Coloring(colors, _model(response.model), _stages(response.stages))


def palette(response: colorizer_pb2.GetPaletteResponse) -> tuple[domain.PaletteColor, ...]:
    """Read the colorizer's palette."""
    return tuple(
        domain.PaletteColor(color.name, tuple(color.prompts), _rgb(color.display)) for color in response.colors
    )


def service_status(status: status_pb2.GetStatusResponse) -> domain.ServiceStatus:
    """Read what a service says about itself."""
    return domain.ServiceStatus(
        serves=not status.draining,
        version=status.version,
        models=tuple(_model(info) for info in status.models),
        memory_used_bytes=status.memory.used_bytes,
        memory_limit_bytes=status.memory.limit_bytes,
        memory_floor_bytes=status.memory.floor_bytes,
        in_flight=status.in_flight,
        waiting=status.waiting,
        requests_per_s=status.activity.requests_per_s,
        p50_ms=status.activity.p50_ms,
        p99_ms=status.activity.p99_ms,
        refused=status.activity.refused,
        uptime_s=status.uptime_s,
    )


def _padded_varint(number: int) -> bytes:
    """A length as protobuf reads it: 7 bits a byte, lowest first, the top bit set on all but the last of five."""
    return bytes(number >> shift & 0x7F | (0x80 if shift < 28 else 0) for shift in range(0, 35, 7))


def _model(message: status_pb2.ModelInfo) -> domain.Model:
    return domain.Model(message.name, message.version, message.sha256)


def _hold(message: hold_pb2.Hold) -> domain.Hold:
    box, mask = message.box, message.mask
    return domain.Hold(
        id=message.id,
        kind=_KINDS.get(message.kind, "hold"),
        confidence=message.confidence,
        box=(box.x_min, box.y_min, box.x_max, box.y_max),
        polygon_xy=tuple(message.polygon.xy[:]),  # by a slice in half the time
        area_px=message.area_px,
        mask=domain.Mask(mask.width, mask.height, mask.bits),
    )


def _color(message: hold_pb2.Color) -> domain.Color:
    rgb = _rgb(message.rgb) if message.HasField("rgb") else None
    guesses = tuple(domain.ColorGuess(guess.name, guess.confidence) for guess in message.guesses)
    return domain.Color(message.name, message.confidence, rgb, message.unknown_reason, guesses)


def _rgb(message: hold_pb2.Rgb) -> domain.Rgb:
    return (message.red, message.green, message.blue)


def _stages(messages_: Iterable[status_pb2.Stage]) -> tuple[domain.Stage, ...]:
    return tuple(
        domain.Stage(stage.name, stage.duration_ms, stage.memory_before_bytes, stage.memory_after_bytes)
        for stage in messages_
    )


# From and to the callers of the gateway's own gRPC service.


def options(message: analyzer_pb2.AnalysisOptions) -> domain.Options:
    """Read what a caller wants; the values are not checked here."""
    return domain.Options(
        max_holds=message.max_holds or None,
        min_confidence=message.min_confidence if message.HasField("min_confidence") else None,
        min_holds=message.min_holds or domain.MIN_HOLDS,
        palette=tuple(domain.ColorPrompt(color.name, color.prompt) for color in message.palette),
    )


def step(event: domain.Event) -> analyzer_pb2.StreamAnalysisResponse:
    """Write one step of an analysis."""
    match event:
        case domain.Progress():
            text = messages.progress(event.stage, "en")
            progress = analyzer_pb2.Progress(stage=event.stage, percent=event.percent, message=text)
            return analyzer_pb2.StreamAnalysisResponse(progress=progress)
        case domain.HoldsFound():
            holds = [_hold_proto(hold) for hold in event.holds]
            found = analyzer_pb2.HoldsFound(photo_size=_size_proto(event.size), holds=holds)
            return analyzer_pb2.StreamAnalysisResponse(holds=found)
        case domain.ColorsFound():
            colored = [
                analyzer_pb2.HoldColored(hold_id=hold_id, color=_color_proto(color))
                for hold_id, color in event.colors.items()
            ]
            return analyzer_pb2.StreamAnalysisResponse(colors=analyzer_pb2.ColorsFound(colors=colored))
        case domain.Analysis():
            return analyzer_pb2.StreamAnalysisResponse(result=result(event))


def result(analysis: domain.Analysis) -> analyzer_pb2.AnalyzePhotoResponse:
    """Write the whole answer."""
    timings = analysis.timings
    return analyzer_pb2.AnalyzePhotoResponse(
        request_id=analysis.request_id,
        photo_size=_size_proto(analysis.size),
        holds=_analyzed_holds(analysis),
        problems=[_problem_proto(problem) for problem in analysis.problems],
        degraded=analysis.degraded,
        models=[_model_proto(info) for info in analysis.models.values()],
        timings=analyzer_pb2.Timings(
            decode_ms=timings.decode_ms,
            detect_ms=timings.detect_ms,
            color_ms=timings.color_ms,
            total_ms=timings.total_ms,
        ),
        receipts=[_receipt_proto(receipt) for receipt in analysis.receipts],
    )


def _analyzed_holds(analysis: domain.Analysis) -> list[analyzer_pb2.AnalyzedHold]:
    problem_ids = by_hold(analysis.problems)
    return [
        analyzer_pb2.AnalyzedHold(
            hold=_hold_proto(hold),
            color=_color_proto(analysis.colors[hold.id]) if hold.id in analysis.colors else None,
            problem_id=problem_ids.get(hold.id, ""),
        )
        for hold in analysis.holds
    ]


def _hold_proto(hold: domain.Hold) -> hold_pb2.Hold:
    return hold_pb2.Hold(
        id=hold.id,
        kind=_KIND_NUMBERS[hold.kind],
        confidence=hold.confidence,
        box=_box_proto(hold.box),
        polygon=hold_pb2.Polygon(xy=hold.polygon_xy),
        area_px=hold.area_px,
        mask=_mask_proto(hold.mask),
    )


def _problem_proto(problem: domain.Problem) -> analyzer_pb2.Problem:
    return analyzer_pb2.Problem(
        id=problem.id,
        color=problem.color,
        hold_ids=problem.hold_ids,
        box=_box_proto(problem.box),
        rgb=_rgb_proto(problem.rgb),
        confidence=problem.confidence,
        height_span=problem.height_span,
        reach_mean=problem.reach_mean,
        reach_max=problem.reach_max,
        small_share=problem.small_share,
    )


def _receipt_proto(receipt: domain.Receipt) -> analyzer_pb2.ServiceReceipt:
    stages = [
        status_pb2.Stage(
            name=stage.name,
            duration_ms=stage.duration_ms,
            memory_before_bytes=stage.memory_before_bytes,
            memory_after_bytes=stage.memory_after_bytes,
        )
        for stage in receipt.stages
    ]
    return analyzer_pb2.ServiceReceipt(service=receipt.service, stages=stages)


def _color_proto(color: domain.Color) -> hold_pb2.Color:
    guesses = [hold_pb2.ColorGuess(name=guess.name, confidence=guess.confidence) for guess in color.guesses]
    return hold_pb2.Color(
        name=color.name,
        confidence=color.confidence,
        rgb=_rgb_proto(color.rgb),
        unknown_reason=color.reason,
        guesses=guesses,
    )


def _rgb_proto(rgb: domain.Rgb | None) -> hold_pb2.Rgb | None:
    return None if rgb is None else hold_pb2.Rgb(red=rgb[0], green=rgb[1], blue=rgb[2])


def _box_proto(box: domain.Box) -> hold_pb2.Box:
    return hold_pb2.Box(x_min=box[0], y_min=box[1], x_max=box[2], y_max=box[3])


def _mask_proto(mask: domain.Mask) -> hold_pb2.Mask:
    return hold_pb2.Mask(width=mask.width, height=mask.height, bits=mask.bits)


def _size_proto(size: domain.PhotoSize) -> hold_pb2.PhotoSize:
    return hold_pb2.PhotoSize(width=size.width, height=size.height)


def _model_proto(info: domain.Model) -> status_pb2.ModelInfo:
    return status_pb2.ModelInfo(name=info.name, version=info.version, sha256=info.sha256)
