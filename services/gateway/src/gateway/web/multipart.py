"""Takes the photo out of a multipart form while it arrives; nothing else of the form is kept."""

from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from servicekit.errors import ImageTooLarge, InvalidParameter
from servicekit.limits import MAX_PHOTO_BYTES

from gateway.photo import Photo

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELDS: Final = ("image", "file")
_MAX_PARTS = 16


class Form:
    """Reads a form while it arrives; what of it is a photo, a subclass says.

    Raises from every method:
        InvalidParameter: The body is no well-formed form, or has not the parts that it should.
        ImageTooLarge: A photo has more than `MAX_PHOTO_BYTES`.
    """

    def __init__(self, content_type: str, *, max_parts: int) -> None:
        _, options = parse_options_header(content_type)
        self._max_parts = max_parts
        self._arriving: Photo | None = None
        self._parts = 0
        self.complete = False
        self._header = [b"", b""]
        try:
            self._parser = MultipartParser(options.get(b"boundary", b""), self._callbacks())
        except FormParserError as error:
            raise _malformed(error) from None
        if not options.get(b"boundary"):
            raise InvalidParameter("The form has no boundary.", details={"content-type": "boundary is missing"})

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _malformed(error) from None

    def _begin_file(self, name: bytes, file_name: str) -> Photo | None:
        """What the data of a part goes into; None for a part that is of no interest."""
        raise NotImplementedError

    def _end_file(self) -> None:
        """A part has ended that is of interest."""

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._extend_header(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._extend_header(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": self._take,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > self._max_parts:
            told = f"more than {self._max_parts} parts"
            raise InvalidParameter("The form has too many parts.", details={"body": told})

    def _extend_header(self, which: int, text: bytes) -> None:
        self._header[which] += text

    def _end_header(self) -> None:
        (name, value), self._header = self._header, [b"", b""]
        if name.lower() == b"content-disposition":
            _, options = parse_options_header(value)
            file_name = options.get(b"filename", b"").decode("utf-8", "replace")
            self._arriving = self._begin_file(options.get(b"name", b""), file_name)

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._arriving is None:
            return
        if self._arriving.size_bytes + end - start > MAX_PHOTO_BYTES:
            raise too_large()
        self._arriving.add(memoryview(data)[start:end])

    def _end_part(self) -> None:
        if self._arriving is not None:
            self._end_file()
            self._arriving = None

    def _end(self) -> None:
        self.complete = True


class PhotoForm(Form):
    """A form with one photo: feed it the body's pieces, then ask for the photo."""

    def __init__(self, content_type: str, size_bytes: int) -> None:
        self._photo: Photo | None = None
        self._size_bytes = size_bytes
        super().__init__(content_type, max_parts=_MAX_PARTS)

    def photo(self) -> Photo:
        """The photo, once the whole body was fed."""
        if not self.complete:
            raise InvalidParameter("The form ends too early.", details={"body": "the form is not complete"})
        if self._photo is None:
            raise InvalidParameter("The form has no photo.", details={"image": "missing"})
        return self._photo

    def _begin_file(self, name: bytes, file_name: str) -> Photo | None:  # noqa: ARG002 - one photo needs no name
        if name.decode("latin-1") not in FIELDS:
            return None
        if self._photo is not None:
            raise InvalidParameter("The form has two photos.", details={"image": "given more than once"})
        self._photo = Photo(room_bytes=self._size_bytes)
        return self._photo


def too_large() -> ImageTooLarge:
    """The answer to a photo with more bytes than allowed."""
    return ImageTooLarge("The photo has too many bytes.", details={"limit_bytes": str(MAX_PHOTO_BYTES)})


def _malformed(error: Exception) -> InvalidParameter:
    return InvalidParameter("The form is malformed.", details={"body": str(error)})
