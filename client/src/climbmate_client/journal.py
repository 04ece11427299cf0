"""The answers of many photos as lines of JSON in a file that an interrupted run goes on with."""

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from climbmate_client.answers import Analysis
from climbmate_client.errors import RefusedError
from climbmate_client.photos import naming

_BEGINNING = b'{"photo":'
_LONGEST_LINE_BYTES = 64 << 20  # far more than an answer of 300 holds; of another file no more is read


class JournalError(Exception):
    """The file is none that this program has written; the text is one line for people."""


class _Failure(msgspec.Struct, frozen=True):
    code: str
    message: str
    request_id: str


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    photo: str
    sha256: str
    parameters: dict[str, str]
    result: Analysis | None = None
    error: _Failure | None = None


class _Known(msgspec.Struct, frozen=True):
    """A line without its answer, which need not be held in memory."""

    photo: str
    sha256: str
    parameters: dict[str, str]


class Journal:
    """A file of answers, open for more. Safe to use from several threads.

    Each line is `{"photo", "sha256", "parameters", "result" or "error"}`. A photo counts as done when a line has its
    name, its bytes' SHA-256 and the same parameters. A last line that was not written to its end is cut off.

    Raises:
        OSError: The file cannot be opened.
        JournalError: It has other content.
    """

    def __init__(self, file: Path, parameters: Mapping[str, str]) -> None:
        self._parameters = dict(parameters)
        self._name = file
        self._turn = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = file.open("a+b")
        try:
            if not file.is_file():
                raise JournalError(f"{file} is no regular file; name another one.")
            self._done = self._read(file)
        except BaseException:
            self._file.close()
            raise

    def has(self, photo: str, content: bytes) -> bool:
        """Whether a photo was answered."""
        return (photo, _digest(content)) in self._done

    def add(self, photo: str, content: bytes, outcome: Analysis | RefusedError) -> None:
        """Write what became of a photo; it is in the file when this returns."""
        digest = _digest(content)
        if isinstance(outcome, Analysis):
            line = _Line(photo, digest, self._parameters, result=outcome)
        else:
            failure = _Failure(outcome.code, outcome.message, outcome.request_id)
            line = _Line(photo, digest, self._parameters, error=failure)
        with self._turn, naming(self._name):
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
            self._done.add((photo, digest))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with naming(self._name):
            self._file.close()

    def _read(self, file: Path) -> set[tuple[str, str]]:
        """Read which photos are done, and cut off what was not written to its end."""
        done, end = set(), 0
        self._file.seek(0)
        for number, line in enumerate(iter(lambda: self._file.readline(_LONGEST_LINE_BYTES), b""), 1):
            torn = not line.endswith(b"\n") and len(line) < _LONGEST_LINE_BYTES
            if torn and line.startswith(_BEGINNING[: len(line)]):
                self._file.truncate(end)
                break
            end += len(line)
            try:
                known = msgspec.json.decode(line, type=_Known)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise JournalError(
                    f"{file}, line {number}, is not from `climbmate analyze`; name another file."
                ) from None
            if known.parameters == self._parameters:
                done.add((known.photo, known.sha256))
        return done


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
