"""The HTTP API as values: what is sent, and what an answer means. No input or output happens here."""

import math
from collections.abc import Iterator
from typing import Any, TypeVar

import httpx
import msgspec

from climbmate_client import events, palettes, photos
from climbmate_client.answers import Analysis, PaletteColor
from climbmate_client.errors import ClimbmateError, NotClimbmate, RefusedError, Unreachable, refused

DEFAULT_URL = "http://127.0.0.1:8000"
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for what is no JSON of the expected shape."""
_MAX_QUERY_BYTES = 8 * 1024  # the gateway takes 16 KiB, some proxies before it half of that
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

T = TypeVar("T")


class _ErrorBody(msgspec.Struct, frozen=True):
    code: str
    message: str
    request_id: str = ""
    details: dict[str, Any] = {}


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The body of every answer that is an error."""

    error: _ErrorBody


class PaletteAnswer(msgspec.Struct, frozen=True):
    """The body of `GET /api/palette`."""

    colors: tuple[PaletteColor, ...]


def photo_request(
    photo: photos.Photo,
    max_holds: int | None,
    min_confidence: float | None,
    min_holds: int | None,
    palette: palettes.Palette | None,
) -> dict[str, Any]:
    """Prepare the upload of a photo; None leaves a parameter to the gateway.

    A palette in many words may be longer than an address; then the photo and all parameters go as a form.

    Returns:
        What `httpx.Client.build_request` takes.

    Raises:
        OSError: The photo's file cannot be read.
        ValueError: The palette cannot be written.
    """
    content = photos.read(photo)
    given = {
        "max_holds": max_holds,
        "min_confidence": min_confidence,
        "min_holds": min_holds,
        "palette": palettes.as_text(palette),
    }
    params = {name: str(value) for name, value in given.items() if value is not None}
    media_type = photos.media_type(content)
    if len(str(httpx.QueryParams(params))) > _MAX_QUERY_BYTES:
        return {"files": {"image": ("photo", content, media_type)}, "data": params}
    return {"content": content, "params": params, "headers": {"Content-Type": media_type}}


def client_options(url: str, timeout_s: float) -> dict[str, Any]:
    """Give what a synchronous and an asynchronous `httpx` client are made with; a loopback address needs no proxy.

    Raises:
        Unreachable: This is no URL.
    """
    return {
        "base_url": url,
        "timeout": httpx.Timeout(timeout_s, connect=min(5.0, timeout_s)),
        "trust_env": not is_local(url),
        "headers": {"Accept-Language": "en"},
    }


def is_local(url: str) -> bool:
    """Tell whether a gateway's address is on this machine.

    Raises:
        Unreachable: This is no URL.
    """
    try:
        return httpx.URL(url).host in _LOOPBACK
    except httpx.InvalidURL as error:
        raise Unreachable(f"{url} is no gateway's address: {error}") from None


def read_answer(response: httpx.Response, kind: type[T]) -> T:
    """Read a complete answer.

    Raises:
        RefusedError: The gateway refused or failed the request.
        NotClimbmate: The answer is of another kind.
    """
    if not response.is_success:
        raise refusal(response)
    return decode_answer(response, kind)


def decode_answer(response: httpx.Response, kind: type[T]) -> T:
    """Read an answer's JSON whatever its status.

    Raises:
        NotClimbmate: It is not JSON of the expected shape.
    """
    try:
        return msgspec.json.decode(response.content, type=kind)
    except _UNREADABLE as error:
        raise _stranger(response, str(error)) from None


def refusal(response: httpx.Response) -> ClimbmateError:
    """Turn an answer that is an error into the error to raise; its body must have been read."""
    try:
        body = msgspec.json.decode(response.content, type=ErrorAnswer)
    except _UNREADABLE:
        return _stranger(response, f"status {response.status_code} without a climbmate error")
    return _refused(body, _retry_after_s(response))


class EventReader:
    """Turns the lines of a stream into events, and knows whether the stream came to its end."""

    def __init__(self) -> None:
        self._parser = events.SseParser()
        self._complete = False

    def feed(self, line: str) -> Iterator[events.Event]:
        """Take the next line; yield the event that it completes. Kinds that this client does not know are left out.

        Raises:
            RefusedError: It is the `error` event.
            NotClimbmate: Its data do not have the shape of its kind.
        """
        for name, data in self._parser.feed(line):
            event = _event(name, data)
            if event is not None:
                self._complete = isinstance(event, Analysis)
                yield event

    def end(self) -> None:
        """Say that the stream is over.

        Raises:
            Unreachable: It broke off before its result.
        """
        if not self._complete:
            raise Unreachable("The gateway ended the stream before its result.")


BROKEN = (httpx.RequestError, UnicodeError)
"""What a request ends with when nothing that can be read was answered; the second for a host that DNS cannot name."""


def transport_failure(error: Exception, url: str) -> ClimbmateError:
    """Tell people what broke between them and the gateway; `error` is one of `BROKEN`."""
    if isinstance(error, httpx.DecodingError):
        return NotClimbmate(f"{url} does not answer as a climbmate gateway does: {error}.")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Unreachable(f"No climbmate gateway answers at {url}. Is it running, and is the address right?")
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"The gateway at {url} did not answer in time.")
    return Unreachable(f"The connection to {url} broke: {error or type(error).__name__}.")


def _event(name: str, data: bytes) -> events.Event | None:
    try:
        if name == "error":
            raise _refused(msgspec.json.decode(data, type=ErrorAnswer), None)
        kind = events.KINDS.get(name)
        return None if kind is None else events.decode(kind, data)
    except _UNREADABLE as error:
        raise NotClimbmate(f"The stream's `{name}` event cannot be read: {error}") from None


def _refused(body: ErrorAnswer, retry_after_s: float | None) -> RefusedError:
    return refused(
        body.error.code,
        body.error.message,
        request_id=body.error.request_id,
        retry_after_s=retry_after_s,
        details={name: str(value) for name, value in body.error.details.items()},
    )


def _retry_after_s(response: httpx.Response) -> float | None:
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):  # a date is allowed by HTTP but never sent by the gateway
        return None
    return seconds if 0 <= seconds < math.inf else None


def _stranger(response: httpx.Response, what: str) -> NotClimbmate:
    return NotClimbmate(f"{response.url} does not answer as a climbmate gateway does: {what}.")
