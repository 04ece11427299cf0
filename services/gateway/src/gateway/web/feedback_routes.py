"""`POST /api/feedback`: people's corrections of colors."""

import asyncio
from pathlib import Path

import msgspec
from servicekit.errors import DeadlineExceeded, InvalidParameter, Overloaded, ServiceError
from servicekit.memory import MB
from servicekit.receipts import stage
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.core import Core
from gateway.domain import UNKNOWN
from gateway.feedback import Correction, FeedbackStore
from gateway.web import answers, openapi
from gateway.web.guard import caller_of
from gateway.web.palette import PaletteSource
from gateway.web.routes import CHARGED, Operations

_MAX_BYTES = 16 * 1024
_READ_S = 10.0
_MAX_WAITING = 32


def operations(core: Core, palette: PaletteSource) -> Operations:
    """The operation; without a file there is none."""
    api = Operations("feedback")
    settings = core.settings
    store = FeedbackStore(Path(settings.gateway_feedback_file), max_bytes=settings.gateway_feedback_mb * MB)
    turn, waiting = asyncio.Lock(), asyncio.Semaphore(_MAX_WAITING)

    @api.post("/api/feedback", openapi.FEEDBACK, CHARGED)
    async def give_feedback(request: Request) -> Response:
        """Correct the color of a hold; the last word on a hold of an answer counts."""
        if not settings.gateway_feedback_file:
            raise HTTPException(404)
        given = _parsed(await _body(request))
        await _check_color(given, palette)
        if waiting.locked():
            raise Overloaded("Too many corrections wait to be stored.")
        async with waiting, turn:  # one at a time: a thread each would only wait for the file
            with stage("store"):
                await asyncio.to_thread(store.put, _correction(given, caller_of(request.scope)))
        kept = answers.FeedbackKept(given.request_id, given.hold_id, given.color)
        return Response(answers.encode(kept), 201, media_type="application/json")

    return api


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(_READ_S):
            async for piece in request.stream():
                body += piece
                if len(body) > _MAX_BYTES:
                    raise InvalidParameter("The body is too large.", details={"body": f"more than {_MAX_BYTES} bytes"})
    except TimeoutError:
        raise DeadlineExceeded(f"The body had not arrived after {_READ_S:.3g} s.") from None
    return bytes(body)


def _parsed(body: bytes) -> answers.Feedback:
    try:
        given = msgspec.json.decode(body, type=answers.Feedback)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message, _, path = str(error).partition(" - at `$")
        name = path.strip("`.").partition("[")[0].partition(".")[0] or "body"
        raise InvalidParameter("The correction is malformed.", details={name: message}) from None
    if given.box is not None and not (given.box[0] < given.box[2] and given.box[1] < given.box[3]):
        raise InvalidParameter("The box is empty.", details={"box": "must be x_min, y_min, x_max, y_max"})
    return given


async def _check_color(given: answers.Feedback, palette: PaletteSource) -> None:
    """A correction is not lost because the colorizer is away and its palette not known."""
    try:
        names = {UNKNOWN, *(given.palette or [color.name for color in await palette.get()])}
    except ServiceError:
        return
    if given.color not in names:
        raise InvalidParameter(
            "The color is not in the palette.", details={"color": f"one of {', '.join(sorted(names))}"}
        )


def _correction(given: answers.Feedback, caller: str) -> Correction:
    return Correction(
        request_id=given.request_id,
        hold_id=given.hold_id,
        color=given.color,
        was=given.was,
        confidence=given.confidence,
        rgb=given.rgb,
        box=given.box,
        size=None if given.image is None else (given.image.width, given.image.height),
        photo_sha256=given.photo_sha256,
        caller=caller,
    )
