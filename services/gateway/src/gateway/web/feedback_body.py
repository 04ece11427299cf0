"""Reads a correction's JSON; what does not fit is refused by the field's name, in words of our own."""

import itertools
import json
from collections import Counter
from typing import Final

import msgspec
from servicekit.errors import InvalidParameter
from servicekit.limits import MAX_HOLDS
from servicekit.palettes import MAX_COLORS

from gateway.web import answers
from gateway.web.parameters import TWICE, shown

_NAME: Final = "1 to 64 printable characters on one line, the first a letter or digit"
MUST: Final = {
    "request_id": "1 to 64 letters, digits, - and _",
    "hold_id": f"a whole number from 0 to {MAX_HOLDS - 1}",
    "color": _NAME,
    "palette": f"a list of at most {MAX_COLORS} names, each {_NAME}",
    "was": _NAME,
    "confidence": "a number from 0 to 1",
    "rgb": "3 whole numbers from 0 to 255",
    "box": "x_min, y_min, x_max, y_max in pixels, 0 to 1000000, with x_min < x_max and y_min < y_max",
    "image": "width and height in pixels, whole numbers from 1 to 1000000",
    "photo_sha256": "64 hexadecimal digits in lower case",
}
"""What each field has to be."""
_MAX_NAMED = 16


def parse(body: bytes) -> answers.Feedback:
    """Read a correction.

    Raises:
        InvalidParameter: It is no JSON object, or fields are missing, unknown, given twice or out of range.
    """
    try:
        given = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        pairs = json.loads(body, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise _malformed({"body": "must be a JSON object in UTF-8"}) from None
    unfit = {shown(name): "There is no such field." for name in given if name not in MUST}
    unfit |= {shown(name): TWICE for name in pairs.twice()}
    fit: dict[str, object] = {}
    for field in msgspec.structs.fields(answers.Feedback):
        if field.name in given:
            try:
                fit[field.name] = msgspec.json.decode(given[field.name], type=field.type)
            except (ValueError, RecursionError):
                unfit[field.name] = f"must be {MUST[field.name]}"
        elif field.required:
            unfit[field.name] = "missing"
    if unfit:
        raise _malformed(dict(itertools.islice(unfit.items(), _MAX_NAMED)))
    return _checked(answers.Feedback(**fit))  # type: ignore[arg-type]  # each was decoded as its field's type


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it was written, in which a name may come twice."""

    def twice(self) -> set[str]:
        """The names that do, and those whose objects hold one that does."""
        inner = {name for name, value in self if isinstance(value, _Pairs) and value.twice()}
        return inner | {name for name, times in Counter(name for name, _ in self).items() if times > 1}


def _checked(given: answers.Feedback) -> answers.Feedback:
    if given.box is not None and not (given.box[0] < given.box[2] and given.box[1] < given.box[3]):
        raise _malformed({"box": f"must be {MUST['box']}"})
    return given


def _malformed(details: dict[str, str]) -> InvalidParameter:
    return InvalidParameter("The correction is malformed.", details=details)
