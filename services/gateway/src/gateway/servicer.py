"""The gRPC face of the gateway."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import grpc
from climbmate.analyzer.v1 import analyzer_pb2, analyzer_pb2_grpc
from servicekit import palettes
from servicekit.deadlines import remaining_s
from servicekit.errors import ImageTooLarge, Internal, InvalidParameter
from servicekit.limits import MAX_HOLDS, MAX_PHOTO_BYTES
from servicekit.receipts import current_receipt

from gateway import convert, formats
from gateway.core import Core
from gateway.deadline import Deadline
from gateway.domain import MIN_HOLDS_FROM, MIN_HOLDS_TO, Analysis, Event, Options
from gateway.feedback_file import GivenAnswer
from gateway.photo import Photo

_MIN_CONFIDENCE, _MAX_CONFIDENCE = 0.01, 1.0
_FLOAT32_SLACK = 1e-6

_Request = analyzer_pb2.AnalyzePhotoRequest | analyzer_pb2.StreamAnalysisRequest
_Context = grpc.aio.ServicerContext[Any, Any]


class AnalyzerServicer(analyzer_pb2_grpc.AnalyzerServiceServicer):
    """Translates calls; the analysis itself knows nothing of gRPC."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def AnalyzePhoto(
        self,
        request: analyzer_pb2.AnalyzePhotoRequest,
        context: _Context,
    ) -> analyzer_pb2.AnalyzePhotoResponse:
        """Answer when all is known."""
        async with contextlib.aclosing(self._events(request, context)) as events:
            async for event in events:
                if isinstance(event, Analysis):
                    return convert.result(event)
        raise Internal

    async def StreamAnalysis(
        self,
        request: analyzer_pb2.StreamAnalysisRequest,
        context: _Context,
    ) -> AsyncIterator[analyzer_pb2.StreamAnalysisResponse]:
        """Tell what is known as soon as it is known."""
        async with contextlib.aclosing(self._events(request, context)) as events:
            async for event in events:
                yield convert.step(event)

    async def _events(self, request: _Request, context: _Context) -> AsyncGenerator[Event, None]:
        caller = self._core.keyring.admit(_key(context))
        photo, options = _photo(request), _options(request)
        left_s = remaining_s()
        deadline = Deadline.after(self._core.settings.request_deadline_s if left_s is None else left_s)
        receipt = current_receipt()
        with self._core.admission.count():
            events = self._core.analyzer.analyze(
                photo, options, deadline=deadline, request_id=receipt.request_id if receipt else ""
            )
            async with contextlib.aclosing(events):
                async for event in events:
                    if isinstance(event, Analysis):
                        self._core.feedback.remember(GivenAnswer(caller, event.request_id, len(event.holds)))
                    yield event


def _key(context: _Context) -> str:
    """The API key that came with a call; "" for none. The interceptor has admitted it."""
    sent = (value for name, value in context.invocation_metadata() or () if name == "authorization")
    return str(next(sent, ""))


def _photo(request: _Request) -> Photo:
    """Take the photo out of a request. The message keeps its own copy until it is gone itself."""
    photo = Photo(request.photo)
    if photo.size_bytes > MAX_PHOTO_BYTES:
        raise ImageTooLarge("The photo has too many bytes.", details={"limit_bytes": str(MAX_PHOTO_BYTES)})
    formats.check(photo.head)
    return photo


def _options(request: _Request) -> Options:
    options = convert.options(request.options)
    if options.max_holds is not None and options.max_holds > MAX_HOLDS:
        raise InvalidParameter("max_holds is out of range.", details={"max_holds": f"must be 1 to {MAX_HOLDS}"})
    confidence = options.min_confidence
    if confidence is not None and not _MIN_CONFIDENCE - _FLOAT32_SLACK <= confidence <= _MAX_CONFIDENCE:
        raise InvalidParameter("min_confidence is out of range.", details={"min_confidence": "must be 0.01 to 1"})
    if not MIN_HOLDS_FROM <= options.min_holds <= MIN_HOLDS_TO:
        must = f"must be {MIN_HOLDS_FROM} to {MIN_HOLDS_TO}"
        raise InvalidParameter("min_holds is out of range.", details={"min_holds": must})
    palettes.check([color.name for color in options.palette], [color.prompt for color in options.palette])
    return options
