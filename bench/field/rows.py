"""One thing tried, what is right, and what came."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from climbmate_client.wire import ErrorAnswer


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Attributes:
        kind: What it belongs to.
        name: What was tried.
        right: What has to come.
        came: What came.
        well: Whether the two agree.
    """

    kind: str
    name: str
    right: str
    came: str
    well: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """An error of the one shape.

    Attributes:
        statuses: One of these.
        codes: One of these; none for any.
        names: What the error has to name.
    """

    statuses: tuple[int, ...]
    codes: tuple[str, ...] = ()
    names: str = ""

    def __str__(self) -> str:
        named = f"that names {self.names}" if self.names else ""
        return " ".join(filter(None, ("/".join(map(str, self.statuses)), " or ".join(self.codes), named)))

    def judged(self, kind: str, name: str, status: int, body: bytes) -> Row:
        """Compare with an answer; status 0 stands for none."""
        code = error_code(body)
        well = status in self.statuses and bool(code) and (not self.codes or code in self.codes)
        well = well and self.names.encode() in body
        came = f"{status} {code or body[:40]!r}" if status else "no answer"
        return Row(kind, name, str(self), came, well)


def error_code(body: bytes) -> str:
    """The code of an error of the one shape with a request id; empty for any other body."""
    try:
        error = msgspec.json.decode(body, type=ErrorAnswer).error
    except msgspec.MsgspecError:
        return ""
    return error.code if error.request_id else ""


def table(rows: Iterable[Row]) -> str:
    """The rows as Markdown, those that are wrong in capitals."""
    head = ["| Kind | Tried | Right | Came | |", "|---|---|---|---|---|"]
    lines = [
        f"| {row.kind} | {row.name} | {row.right} | {_in_a_cell(row.came)} | {'well' if row.well else 'WRONG'} |"
        for row in rows
    ]
    return "\n".join([*head, *lines])


def _in_a_cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
