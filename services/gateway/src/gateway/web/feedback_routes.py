"""`POST /api/feedback`: people's corrections of colors."""

import asyncio

from servicekit.errors import DeadlineExceeded, InvalidParameter, ServiceError
from servicekit.receipts import stage
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.core import Core
from gateway.domain import UNKNOWN
from gateway.feedback_file import Correction
from gateway.keys import Bucket
from gateway.web import answers, feedback_body, media_type, openapi
from gateway.web.guard import caller_of
from gateway.web.palette import PaletteSource
from gateway.web.routes import CHARGED, Operations

_MAX_BYTES = 16 * 1024
_READ_S = 10.0


def operations(core: Core, palette: PaletteSource) -> Operations:
    """The operation; without a file there is none."""
    api = Operations("feedback")
    per_minute = core.settings.gateway_feedback_per_minute
    anonymous = Bucket(per_minute / 60, per_minute, "Too many corrections come without API keys.")

    @api.post("/api/feedback", openapi.FEEDBACK, CHARGED)
    async def give_feedback(request: Request) -> Response:
        """Correct the color of a hold of an answer that the caller was given; each caller's last word counts."""
        if not core.feedback.open:
            raise HTTPException(404)
        media_type.check(request.headers, "application/json")  # which no page of another origin sends unasked
        given = feedback_body.parse(await _body(request))
        caller = caller_of(request.scope)
        if not caller:  # a key was charged with the request
            anonymous.take()
        await _check_color(given, palette)
        with stage("store"):
            await core.feedback.put(_correction(given, caller))
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
