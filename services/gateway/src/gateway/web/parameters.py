"""Parameters of requests: read into a type, refused by name where they do not fit, described by the same type."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from servicekit.errors import InvalidParameter

S = TypeVar("S", bound=msgspec.Struct)
_NULL = {"type": "null"}


def read(given: Mapping[str, str], kind: type[S]) -> S:
    """Read a query. A parameter that the type does not have is refused, so that a misspelt one is noticed.

    Raises:
        InvalidParameter: With all that do not fit as details.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    fit: dict[str, Any] = {}
    unfit: dict[str, str] = {}
    for name, text in given.items():
        if name not in fields:
            unfit[name] = "There is no such parameter."
            continue
        try:
            fit[fields[name].name] = msgspec.convert(text, fields[name].type, strict=False)
        except msgspec.ValidationError as error:
            unfit[name] = str(error)
    if unfit:
        raise InvalidParameter("A parameter is unknown or out of range.", details=unfit)
    return kind(**fit)


def read_headers(given: Mapping[str, str], kind: type[S]) -> S:
    """Read those headers that the type has.

    Raises:
        InvalidParameter: With all that do not fit as details.
    """
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return read({name: given[name] for name in names if name in given}, kind)


def described(place: str, kind: type[msgspec.Struct]) -> Iterator[dict[str, Any]]:
    """The Parameter Objects (OpenAPI 3.1) of all fields; `place` is `query` or `header`. All may be left out."""
    schema = msgspec.json.schema(kind)
    for name, one in schema["$defs"][kind.__name__]["properties"].items():
        plain = next(option for option in one.pop("anyOf", [one]) if option != _NULL)
        about = {key: plain.pop(key) for key in ("description",) if key in plain}
        default = {} if one.get("default") is None else {"default": one["default"]}
        yield {"name": name, "in": place, "required": False, **about, "schema": {**plain, **default}}
