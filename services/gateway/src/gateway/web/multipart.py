"""Takes photos and parameters out of a multipart form while it arrives (RFC 7578); nothing else may be in it."""

import logging
from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from servicekit.errors import ImageTooLarge, InvalidParameter, UnsupportedFormat
from servicekit.limits import MAX_PHOTO_BYTES

from gateway.photo import Photo
from gateway.web import parameters, questions

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PHOTO_FIELDS: Final = ("image", "file")
_NO_SUCH_FIELD = "There is no such field; a photo's is `image`."
MAX_FIELD_BYTES = 4 * questions.MAX_PALETTE_CHARS
"""The most that a field's text may take: the longest palette in UTF-8."""
_MAX_BOUNDARY = 70  # RFC 2046, section 5.1.1
_PLAIN = frozenset((b"", b"7bit", b"8bit", b"binary"))  # the transfer encodings that are none


class Form:
    """Reads a form while it arrives; where photos go, and whether a field may come, a subclass says.

    Attributes:
        fields: The parameters that have arrived, as text.

    Raises from every method:
        InvalidParameter: The body is no well-formed form, or has not the parts that it should; `details` names one.
        UnsupportedFormat: A part is encoded.
        ImageTooLarge: A photo has more than `MAX_PHOTO_BYTES`.
    """

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not 1 <= len(boundary) <= _MAX_BOUNDARY:
            told = f"boundary must have 1 to {_MAX_BOUNDARY} characters"
            raise InvalidParameter("The form has no usable boundary.", details={"content-type": told})
        self._parser = MultipartParser(boundary, self._callbacks())
        self._parser.logger.setLevel(logging.ERROR)  # what is wrong with a form is its sender's to know
        self._arriving: Photo | None = None
        self._field: tuple[str, bytearray] | None = None
        self._header = [b"", b""]
        self._headers: dict[bytes, bytes] = {}
        self._complete = False
        self.fields: list[tuple[str, str]] = []

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise _malformed() from None

    def _begin_photo(self, file_name: str) -> Photo:
        """What the next photo goes into."""
        raise NotImplementedError

    def _end_photo(self) -> None:
        """The photo has arrived."""

    def _begin_field(self, name: str) -> None:
        """A parameter begins, which may be refused."""

    def _check_complete(self, photos: int) -> None:
        if not self._complete:
            raise InvalidParameter("The form ends too early.", details={"body": "the form is not complete"})
        if not photos:
            raise InvalidParameter("The form has no photo.", details={"image": "missing"})

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._extend_header(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._extend_header(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._take,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        self._headers = {}

    def _extend_header(self, which: int, text: bytes) -> None:
        self._header[which] += text

    def _end_header(self) -> None:
        (name, value), self._header = self._header, [b"", b""]
        if self._headers.setdefault(name.lower(), value) is not value:
            raise _malformed()

    def _end_headers(self) -> None:
        """See what the part is by its headers; the parser bounds their number and sizes."""
        _, told = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = told.get(b"name", b"").decode("utf-8", "surrogateescape")
        self._check_encoding()
        if name in PHOTO_FIELDS:
            self._arriving = self._begin_photo(told.get(b"filename", b"").decode("utf-8", "replace"))
        elif name in questions.NAMES:
            if any(name == known for known, _ in self.fields):
                raise _refused(name, parameters.TWICE)
            self._begin_field(name)
            self._field = name, bytearray()
        else:
            raise _refused(name or "body", _NO_SUCH_FIELD if name else "a part of the form has no name")

    def _check_encoding(self) -> None:
        encoding = self._headers.get(b"content-transfer-encoding", b"").strip().lower()
        if encoding not in _PLAIN:
            given = {"content-transfer-encoding": parameters.shown(encoding.decode("latin-1"))}
            raise UnsupportedFormat("Send the form's parts as they are.", details=given)

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._arriving is not None:
            if self._arriving.size_bytes + end - start > MAX_PHOTO_BYTES:
                raise too_large()
            self._arriving.add(memoryview(data)[start:end])
        elif self._field is not None:
            name, text = self._field
            if len(text) + end - start > MAX_FIELD_BYTES:
                raise _refused(name, f"has more than {MAX_FIELD_BYTES} bytes")
            text += data[start:end]

    def _end_part(self) -> None:
        if self._arriving is not None:
            self._end_photo()
        elif self._field is not None:
            name, text = self._field
            self.fields.append((name, text.decode("utf-8", "surrogateescape")))
        self._arriving = self._field = None

    def _end(self) -> None:
        self._complete = True


class PhotoForm(Form):
    """A form with one photo: feed it the body's pieces, then ask for the photo."""

    def __init__(self, content_type: str, size_bytes: int) -> None:
        super().__init__(content_type)
        self._photo: Photo | None = None
        self._size_bytes = size_bytes

    def photo(self) -> Photo:
        """The photo, once the whole body was fed."""
        self._check_complete(int(self._photo is not None))
        assert self._photo is not None  # noqa: S101 - as was checked
        return self._photo

    def _begin_photo(self, file_name: str) -> Photo:  # noqa: ARG002 - one photo needs no name
        if self._photo is not None:
            raise InvalidParameter("The form has two photos.", details={"image": parameters.TWICE})
        self._photo = Photo(room_bytes=self._size_bytes)
        return self._photo


def too_large() -> ImageTooLarge:
    """The answer to a photo with more bytes than allowed."""
    return ImageTooLarge("The photo has too many bytes.", details={"limit_bytes": str(MAX_PHOTO_BYTES)})


def _malformed() -> InvalidParameter:
    return InvalidParameter("The form is malformed.", details={"body": "is no multipart/form-data"})


def _refused(name: str, told: str) -> InvalidParameter:
    return InvalidParameter("A field of the form cannot be used.", details={parameters.shown(name): told})
