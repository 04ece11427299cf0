"""The gateway's protobuf messages as the answers of this client."""

import contextlib
from typing import cast

import grpc
from climbmate.analyzer.v1 import analyzer_pb2 as analyzer
from climbmate.hold.v1 import hold_pb2 as hold
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from climbmate_client.answers import Analysis, Box, Color, ColorGuess, Hold, Image, Problem, Receipt, Rgb, Stage
from climbmate_client.errors import ClimbmateError, DeadlineExceeded, ImageTooLarge, NotClimbmate, Unreachable, refused
from climbmate_client.events import ColorsFound, Event, HoldColored, HoldsFound, Progress

_MODEL_SERVICES = ("detector", "colorizer")
_KINDS = {hold.HOLD_KIND_HOLD: "hold", hold.HOLD_KIND_VOLUME: "volume"}
_NOT_ANSWERED = Color("unknown", 0.0, None, "The colorizer did not answer in time.")
_ERROR_DOMAIN = "climbmate"
_TOO_LARGE = "message larger than max"
"""How gRPC itself says that a message is not read for its size."""


def analysis(answer: analyzer.AnalyzePhotoResponse) -> Analysis:
    """Read a whole answer."""
    return Analysis(
        request_id=answer.request_id,
        image=_image(answer.photo_size),
        holds=tuple(_analyzed_hold(each) for each in answer.holds),
        problems=tuple(_problem(each) for each in answer.problems),
        degraded=tuple(answer.degraded),
        models=_models(answer),
        timings_ms={
            "decode": answer.timings.decode_ms,
            "detect": answer.timings.detect_ms,
            "color": answer.timings.color_ms,
            "total": answer.timings.total_ms,
        },
        receipts=tuple(_receipt(each, answer) for each in answer.receipts),
    )


def event(step: analyzer.StreamAnalysisResponse) -> Event | None:
    """Read a step of a stream; None for a kind that this client does not know."""
    match step.WhichOneof("event"):
        case "progress":
            return Progress(step.progress.stage, step.progress.percent, step.progress.message)
        case "holds":
            return HoldsFound(_image(step.holds.photo_size), tuple(_hold(each) for each in step.holds.holds))
        case "colors":
            return ColorsFound(tuple(HoldColored(each.hold_id, _color(each.color)) for each in step.colors.colors))
        case "result":
            return analysis(step.result)
    return None


def failure(error: grpc.RpcError, target: str) -> ClimbmateError:
    """Turn what a call failed with into the error to raise."""
    call = cast("grpc.Call", error)  # every error of a call is one; the stubs of grpc do not say so
    trailers = dict(call.trailing_metadata() or ())
    info, retry_after_s = _details(trailers.get("grpc-status-details-bin", b""))
    message = call.details() or call.code().name
    if info is not None:
        request_id = str(trailers.get("x-request-id", ""))
        return refused(info.reason, message, request_id=request_id, retry_after_s=retry_after_s, details=info.metadata)
    if call.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded("The deadline passed before the gateway answered.")
    if call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in message:
        return ImageTooLarge("The photo has more bytes than the gateway reads.")
    if call.code() is grpc.StatusCode.UNAVAILABLE:
        return Unreachable(f"No climbmate gateway answers at {target}. Is it running, and is the address right?")
    return NotClimbmate(f"{target} does not answer as a climbmate gateway does: {call.code().name}: {message}")


def _details(trailer: str | bytes) -> tuple[error_details_pb2.ErrorInfo | None, float | None]:
    found: error_details_pb2.ErrorInfo | None = None
    retry_after_s: float | None = None
    with contextlib.suppress(DecodeError):  # somebody else's
        for detail in status_pb2.Status.FromString(trailer if isinstance(trailer, bytes) else b"").details:
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            if detail.Unpack(info) and info.domain == _ERROR_DOMAIN:
                found = info
            elif detail.Unpack(retry) and retry.retry_delay.seconds >= 0:
                retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return found, retry_after_s


def _models(answer: analyzer.AnalyzePhotoResponse) -> dict[str, str | None]:
    """The detector's model comes first, then the colorizer's, if it was needed."""
    names: list[str | None] = [f"{model.name} {model.version}" for model in answer.models]
    return dict(zip(_MODEL_SERVICES, [*names, None, None], strict=False))


def _receipt(message: analyzer.ServiceReceipt, answer: analyzer.AnalyzePhotoResponse) -> Receipt:
    sha256 = dict(zip(_MODEL_SERVICES, (model.sha256 for model in answer.models), strict=False))
    stages = (
        Stage(stage.name, stage.duration_ms, stage.memory_before_bytes, stage.memory_after_bytes)
        for stage in message.stages
    )
    return Receipt(message.service, tuple(stages), sha256.get(message.service))


def _analyzed_hold(message: analyzer.AnalyzedHold) -> Hold:
    color = _color(message.color) if message.HasField("color") else _NOT_ANSWERED
    return _hold(message.hold, color, message.problem_id or None)


def _hold(message: hold.Hold, color: Color | None = None, problem_id: str | None = None) -> Hold:
    xy = message.polygon.xy
    return Hold(
        id=message.id,
        kind=_KINDS.get(message.kind, "hold"),
        confidence=message.confidence,
        box=_box(message.box),
        polygon=tuple(zip(xy[::2], xy[1::2], strict=True)),
        area_px=message.area_px,
        color=color,
        problem_id=problem_id,
    )


def _color(message: hold.Color) -> Color:
    rgb = _rgb(message.rgb) if message.HasField("rgb") else None
    guesses = tuple(ColorGuess(guess.name, guess.confidence) for guess in message.guesses)
    return Color(message.name, message.confidence, rgb, message.unknown_reason or None, guesses)


def _problem(message: analyzer.Problem) -> Problem:
    ids = tuple(message.hold_ids)
    return Problem(
        id=message.id,
        color=message.color,
        hold_ids=ids,
        hold_count=len(ids),
        box=_box(message.box),
        rgb=_rgb(message.rgb) if message.HasField("rgb") else None,
        confidence=message.confidence,
        height_span=message.height_span,
        reach_mean=message.reach_mean,
        reach_max=message.reach_max,
        small_share=message.small_share,
    )


def _rgb(message: hold.Rgb) -> Rgb:
    return (message.red, message.green, message.blue)


def _box(message: hold.Box) -> Box:
    return (message.x_min, message.y_min, message.x_max, message.y_max)


def _image(message: hold.PhotoSize) -> Image:
    return Image(message.width, message.height)
