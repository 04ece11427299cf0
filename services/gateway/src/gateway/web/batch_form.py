"""A form with several photos, each of which is handed on as soon as it has arrived."""

from dataclasses import dataclass

from servicekit.errors import InvalidParameter

from gateway.photo import Photo
from gateway.web.multipart import FIELDS, Form

MAX_PHOTOS = 20
_MAX_PARTS = MAX_PHOTOS + 16
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Arrived:
    """A photo of a batch: its place among the others, from 0, and what its sender calls it."""

    index: int
    name: str
    photo: Photo


class BatchForm(Form):
    """Feed it the body's pieces, and take out what has arrived in between."""

    def __init__(self, content_type: str) -> None:
        self._count = 0
        self._last: Arrived | None = None
        self._arrived: list[Arrived] = []
        super().__init__(content_type, max_parts=_MAX_PARTS)

    @property
    def arriving(self) -> bool:
        """Whether a photo has begun and not ended."""
        return self._arriving is not None

    def take(self) -> list[Arrived]:
        """What has arrived since the last time."""
        arrived, self._arrived = self._arrived, []
        return arrived

    def finish(self) -> None:
        """Say that the whole body was fed."""
        if not self.complete:
            raise InvalidParameter("The form ends too early.", details={"body": "the form is not complete"})
        if not self._count:
            raise InvalidParameter("The form has no photo.", details={"image": "missing"})

    def _begin_file(self, name: bytes, file_name: str) -> Photo | None:
        if name.decode("latin-1") not in FIELDS:
            return None
        if self._count >= MAX_PHOTOS:
            raise InvalidParameter("There are too many photos.", details={"image": f"more than {MAX_PHOTOS}"})
        self._last = Arrived(self._count, file_name[:_MAX_NAME], Photo())
        self._count += 1
        return self._last.photo

    def _end_file(self) -> None:
        if self._last is not None:
            self._arrived.append(self._last)
