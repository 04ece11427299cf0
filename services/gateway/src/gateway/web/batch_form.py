"""A form with several photos, each of which is handed on as soon as it has arrived."""

from dataclasses import dataclass

from servicekit.errors import InvalidParameter

from gateway import domain
from gateway.photo import Photo
from gateway.web import questions
from gateway.web.multipart import Form

MAX_PHOTOS = 20
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Arrived:
    """A photo of a batch: its place among the others, from 0, and what its sender calls it."""

    index: int
    name: str
    photo: Photo


class BatchForm(Form):
    """Feed it the body's pieces, and take out what has arrived in between; parameters come before the first photo.

    Attributes:
        options: What its photos are to be looked at for; the fields count from the first photo on.
    """

    def __init__(self, content_type: str, query: bytes) -> None:
        super().__init__(content_type)
        self._query = query
        self.options = domain.Options()
        self._count = 0
        self._last: Arrived | None = None
        self._arrived: list[Arrived] = []

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
        self._check_complete(self._count)

    def _begin_photo(self, file_name: str) -> Photo:
        if self._count >= MAX_PHOTOS:
            raise InvalidParameter("There are too many photos.", details={"image": f"more than {MAX_PHOTOS}"})
        if not self._count:
            self.options = questions.options(self._query, self.fields)
        self._last = Arrived(self._count, file_name[:_MAX_NAME], Photo())
        self._count += 1
        return self._last.photo

    def _end_photo(self) -> None:
        if self._last is not None:
            self._arrived.append(self._last)

    def _begin_field(self, name: str) -> None:
        if self._count:
            told = {name: "must come before the photos"}
            raise InvalidParameter("A parameter comes after a photo that it is for.", details=told)
