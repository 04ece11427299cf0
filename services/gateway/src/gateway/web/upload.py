"""Receives a photo: as a form's field or as the raw body, cut as soon as it is too large or too slow."""

import asyncio
from collections.abc import AsyncIterator

from servicekit.errors import DeadlineExceeded, InvalidImage
from servicekit.limits import MAX_PHOTO_BYTES
from servicekit.receipts import stage
from starlette.datastructures import Headers
from starlette.requests import Request

from gateway import formats
from gateway.admission import MAX_UPLOAD_BYTES
from gateway.photo import Photo
from gateway.web import media_type
from gateway.web.multipart import PhotoForm, too_large
from gateway.web.pace import Pace, in_pace


def declared_bytes(headers: Headers) -> int:
    """How many bytes the body will have at most: what the caller declares, or the limit when nothing is declared.

    Raises:
        ServiceError: What is wrong without reading the body: InvalidImage (there is none), UnsupportedFormat (neither a
            form nor an image, or encoded) or ImageTooLarge.
    """
    declared = headers.get("content-length", "0" if "transfer-encoding" not in headers else None)
    if declared == "0":
        raise InvalidImage("The body is empty.")
    limit_bytes = _limit(headers)
    if declared is not None and int(declared) > limit_bytes:
        raise too_large()
    return limit_bytes if declared is None else int(declared)


class Upload:
    """The photo of a request whose headers `declared_bytes` has found good, while it arrives.

    Attributes:
        fields: The parameters that came as fields of the form, once the photo is there.

    Raises from every method:
        ServiceError: InvalidParameter (the form), ImageTooLarge, UnsupportedFormat or InvalidImage (the first bytes),
            or DeadlineExceeded when the body comes too slowly.
    """

    def __init__(self, request: Request, pace: Pace, size_bytes: int) -> None:
        self._headers = request.headers
        self._size_bytes = size_bytes
        self._pieces = _up_to(_limit(request.headers), in_pace(request.stream(), pace))
        self._first = b""
        self.fields: list[tuple[str, str]] = []

    async def begin(self) -> None:
        """Wait for the first bytes, so that memory is held only for callers who send."""
        self._first = await anext(self._pieces, b"")

    async def photo(self, *, timeout_s: float) -> Photo:
        """Read to the end, which is waited for `timeout_s`."""
        try:
            with stage("upload"):
                async with asyncio.timeout(timeout_s):
                    photo = await self._read()
        except TimeoutError:
            raise DeadlineExceeded(f"The photo had not arrived after {timeout_s:.3g} s.") from None
        formats.check(photo.head)
        return photo

    async def _read(self) -> Photo:
        if not _is_form(self._headers):
            photo = Photo(self._first, room_bytes=self._size_bytes)
            async for piece in self._pieces:
                photo.add(piece)
            return photo
        form = PhotoForm(self._headers["content-type"], self._size_bytes)
        form.feed(self._first)
        async for piece in self._pieces:
            form.feed(piece)
        self.fields = form.fields
        return form.photo()


async def _up_to(limit_bytes: int, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass on the pieces of a body until there are too many bytes."""
    size_bytes = 0
    async for piece in pieces:
        size_bytes += len(piece)
        if size_bytes > limit_bytes:
            raise too_large()
        if piece:
            yield piece


def _is_form(headers: Headers) -> bool:
    return media_type.check(headers, media_type.FORM, "image/*") == media_type.FORM


def _limit(headers: Headers) -> int:
    return MAX_UPLOAD_BYTES if _is_form(headers) else MAX_PHOTO_BYTES
