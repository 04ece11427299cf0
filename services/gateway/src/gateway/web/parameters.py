"""Parameters of requests: read into a type, refused by name where they do not fit, described by the same type."""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect
from servicekit.errors import InvalidParameter
from starlette.datastructures import Headers

S = TypeVar("S", bound=msgspec.Struct)
Pairs = Iterable[tuple[str, str]]
"""Names and values as they came, in their order; bytes that are no UTF-8 as surrogates."""
TWICE: Final = "is given more than once"
_UNKNOWN: Final = "There is no such parameter."
_NULL = {"type": "null"}
_WHOLE = re.compile("0|[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")  # RFC 8259, section 6
_MAX_NAMED = 16
_SHOWN_CHARACTERS = 64


def pairs_of(query: bytes) -> Pairs:
    """Read a query string. What is no percent-encoding stands for itself, as browsers have it."""
    return parse_qsl(query.decode("utf-8", "surrogateescape"), keep_blank_values=True, errors="surrogateescape")


def read(given: Pairs, kind: type[S]) -> S:
    """Read parameters. One that the type does not have is refused, so that a misspelt one is noticed.

    Raises:
        InvalidParameter: With those that do not fit as details, at most 16.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    fit: dict[str, Any] = {}
    unfit: dict[str, str] = {}
    for name, text in given:
        field = fields.get(name)
        if field is None:
            unfit[shown(name)] = _UNKNOWN
        elif field.name in fit or name in unfit:
            unfit[name] = TWICE
        else:
            try:
                fit[field.name] = _value(text, field.type)
            except ValueError:
                unfit[name] = _must(_plain(field.type))
    if unfit:
        details = dict(itertools.islice(unfit.items(), _MAX_NAMED))
        raise InvalidParameter("A parameter is unknown or out of range.", details=details)
    return kind(**fit)


def read_headers(given: Headers, kind: type[S]) -> S:
    """Read those headers that the type has.

    Raises:
        InvalidParameter: With all that do not fit as details.
    """
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return read([(name, text) for name in names for text in given.getlist(name)], kind)


def described(place: str, kind: type[msgspec.Struct]) -> Iterator[dict[str, Any]]:
    """The Parameter Objects (OpenAPI 3.1) of all fields; `place` is `query` or `header`. All may be left out."""
    schema = msgspec.json.schema(kind)
    for name, one in schema["$defs"][kind.__name__]["properties"].items():
        plain = next(option for option in one.pop("anyOf", [one]) if option != _NULL)
        about = {key: plain.pop(key) for key in ("description",) if key in plain}
        default = {} if one.get("default") is None else {"default": one["default"]}
        yield {"name": name, "in": place, "required": False, **about, "schema": {**plain, **default}}


def shown(name: str) -> str:
    """A name that a caller made up, as it is told back."""
    return name.encode("utf-8", "replace").decode()[:_SHOWN_CHARACTERS]


def _value(text: str, kind: object) -> object:
    """Read one value; numbers are written as in JSON.

    Raises:
        ValueError: It does not fit.
    """
    text.encode()  # what was no UTF-8 cannot be written as such
    written = {inspect.IntType: _WHOLE, inspect.FloatType: _NUMBER}.get(type(_plain(kind)))
    if written is not None and not written.fullmatch(text):
        raise ValueError
    return msgspec.convert(text, kind, strict=False)


def _plain(kind: object) -> inspect.Type:
    """A field's type without null and without its description."""
    told = inspect.type_info(kind)
    if isinstance(told, inspect.UnionType):
        told = next(option for option in told.types if not isinstance(option, inspect.NoneType))
    return told.type if isinstance(told, inspect.Metadata) else told


def _must(kind: inspect.Type) -> str:
    match kind:
        case inspect.IntType(ge=least, le=most):
            return (
                f"must be a whole number from {least} to {most}" if most else f"must be a whole number, {least} or more"
            )
        case inspect.FloatType(ge=least, le=most):
            return f"must be a number from {least:g} to {most:g}"
        case inspect.StrType(max_length=most):
            return f"must be UTF-8 of at most {most} characters"
    raise NotImplementedError(kind)
