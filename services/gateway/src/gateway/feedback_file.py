"""People's corrections of colors in a SQLite file, and which answers were given, so that no correction is made up.

The file holds no photos: a correction says which hold of which answer it is about, and the photo's digest where the
caller told it. Corrections are appended, one row each, and never changed. Of an answer nothing is kept but a digest of
who got it under which id, and how many holds it has; the oldest answers go first, and corrections never go for answers.
"""

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import msgspec
from servicekit.errors import InvalidParameter, NotFound, NotStored
from servicekit.server import StartError

MAX_PER_HOLD = 16
MAX_PER_ANSWER = 600
ANSWER_BYTES = 64
"""The most that an answer takes in the file, as measured: its row, its digest in the index, and what is free there."""
_ANSWERS_SHARE = 4  # remembered answers have this part of the file
_PAGE_BYTES = 4096  # SQLite's own
_CACHE_KIB = 256
_BUSY_S = 2.0
_RETRY_AFTER_S = 60.0
COLUMNS = (
    "request_id", "hold_id", "color", "was", "confidence", "red", "green", "blue", "x_min", "y_min", "x_max", "y_max",
    "width", "height", "photo_sha256", "caller", "at_unix_s",
)  # fmt: skip
_LIST = ", ".join(COLUMNS)
_MAKE_ANSWERS = """
CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, holds INTEGER NOT NULL)
"""
_MAKE_CORRECTIONS = """
CREATE TABLE IF NOT EXISTS corrections (
    request_id TEXT NOT NULL, hold_id INTEGER NOT NULL, color TEXT NOT NULL, was TEXT, confidence REAL,
    red INTEGER, green INTEGER, blue INTEGER, x_min REAL, y_min REAL, x_max REAL, y_max REAL,
    width INTEGER, height INTEGER, photo_sha256 TEXT, caller TEXT NOT NULL, at_unix_s REAL NOT NULL,
    number INTEGER NOT NULL, PRIMARY KEY (request_id, caller, hold_id, number)
) WITHOUT ROWID
"""
_REMEMBER = """
INSERT INTO answers (digest, holds) VALUES (?, ?) ON CONFLICT (digest)
DO UPDATE SET id = (SELECT max(id) FROM answers) + 1, holds = max(holds, excluded.holds)
"""
_FORGET = "DELETE FROM answers WHERE id <= (SELECT max(id) FROM answers) - ?"
_PUT = f"INSERT INTO corrections ({_LIST}, number) VALUES ({', '.join('?' * len(COLUMNS))}, ?)"  # noqa: S608 - constants
_COUNT = "SELECT count(*) FROM corrections WHERE request_id = ? AND caller = ?"
_LAST = f"""
SELECT {_LIST}, number FROM corrections WHERE request_id = ? AND caller = ? AND hold_id = ? ORDER BY number DESC LIMIT 1
"""  # noqa: S608 - constants
_REASONS = {
    sqlite3.SQLITE_FULL: "the file or its disk is full",
    sqlite3.SQLITE_READONLY: "the file is read-only",
    sqlite3.SQLITE_BUSY: "the file is locked",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
}


class GivenAnswer(NamedTuple):
    """An answer that was given: to the key of that name ("" without keys), under which id, with how many holds."""

    caller: str
    request_id: str
    holds: int


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says a hold's color is, and what had been answered; None for what was not told."""

    request_id: str
    hold_id: int
    color: str
    was: str | None = None
    confidence: float | None = None
    rgb: tuple[int, int, int] | None = None
    box: tuple[float, float, float, float] | None = None
    size: tuple[int, int] | None = None
    photo_sha256: str | None = None
    caller: str = ""


class FeedbackFile:
    """The file. Safe to use from any thread, and by several processes at once.

    It is opened for each write, so that one that was moved away, or a disk that is there again, is seen.

    Raises from every method:
        NotStored: The file does not take it.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._uri = path.absolute().as_uri()
        self._max_pages = max_bytes // _PAGE_BYTES
        self._max_answers = max_bytes // _ANSWERS_SHARE // ANSWER_BYTES

    @classmethod
    def of(cls, setting: str, *, max_bytes: int) -> Self | None:
        """The file that `GATEWAY_FEEDBACK_FILE` names; None for none.

        Raises:
            StartError: It names something that is no file.
        """
        if setting in ("", "none"):
            return None
        path = Path(setting)
        with contextlib.suppress(OSError):  # what cannot be looked at now may be there later
            if setting == ":memory:" or setting.startswith("file:") or setting.endswith("/") or _is_no_file(path):
                raise StartError(f"GATEWAY_FEEDBACK_FILE must be the path of a file, and {setting!r} is none")
        return cls(path, max_bytes=max_bytes)

    def remember(self, given: Sequence[GivenAnswer]) -> None:
        """Remember answers, and forget the oldest where they would take more than a quarter of the file."""
        with self._writing() as database:
            database.executemany(_REMEMBER, [(_digest(one.caller, one.request_id), one.holds) for one in given])
            database.execute(_FORGET, (self._max_answers,))

    def put(self, correction: Correction) -> None:
        """Store a correction of an answer that is remembered; what says the same as the last one is stored already.

        Raises:
            NotFound: Its caller was given no such answer.
            InvalidParameter: That has no such hold, or has been corrected too often.
        """
        answer = (correction.request_id, correction.caller)
        with self._writing() as database:
            _check_hold(database, correction)
            last = database.execute(_LAST, (*answer, correction.hold_id)).fetchone()
            row = _row(correction)
            if last is not None and last[: len(row) - 1] == row[:-1]:
                return
            number = 0 if last is None else last[-1] + 1
            (count,) = database.execute(_COUNT, answer).fetchone()
            if number >= MAX_PER_HOLD:
                raise _corrected_too_often("hold_id", MAX_PER_HOLD)
            if count >= MAX_PER_ANSWER:
                raise _corrected_too_often("request_id", MAX_PER_ANSWER)
            database.execute(_PUT, (*row, number))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which no other process writes beside; it counts when what is inside has ended well."""
        try:
            with contextlib.closing(
                sqlite3.connect(self._uri, timeout=_BUSY_S, uri=True, isolation_level=None)
            ) as file:
                file.execute(f"PRAGMA max_page_count = {self._max_pages}")
                file.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                file.execute("BEGIN IMMEDIATE")
                try:
                    file.execute(_MAKE_ANSWERS)
                    file.execute(_MAKE_CORRECTIONS)
                    yield file
                    file.execute("COMMIT")
                finally:
                    file.rollback()  # what is open would outlive the connection in an error's frames, and lock the file
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest is which kind of it
            raise not_stored(_REASONS.get(code, "the file cannot be written")) from error


def not_stored(why: str) -> NotStored:
    """The answer to a correction that no file takes."""
    return NotStored(f"The correction could not be stored: {why}.", retry_after_s=_RETRY_AFTER_S)


def _is_no_file(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _digest(caller: str, request_id: str) -> bytes:
    """16 bytes; the names of keys hold no `/`."""
    return hashlib.blake2b(f"{caller}/{request_id}".encode(), digest_size=16).digest()


def _check_hold(database: sqlite3.Connection, correction: Correction) -> None:
    digest = _digest(correction.caller, correction.request_id)
    given = database.execute("SELECT holds FROM answers WHERE digest = ?", (digest,)).fetchone()
    if given is None:
        told = {"request_id": "no answer of this id was given to you, or it is too long ago"}
        raise NotFound("Corrections are taken for answers that are remembered.", details=told)
    if correction.hold_id >= given[0]:
        told = {"hold_id": f"the answer has {given[0]} holds, counted from 0"}
        raise InvalidParameter("The answer has no such hold.", details=told)


def _corrected_too_often(name: str, times: int) -> InvalidParameter:
    return InvalidParameter("That has been corrected too often.", details={name: f"corrected {times} times already"})


def _row(correction: Correction) -> tuple[object, ...]:
    return (
        correction.request_id,
        correction.hold_id,
        correction.color,
        correction.was,
        correction.confidence,
        *(correction.rgb or (None,) * 3),
        *(correction.box or (None,) * 4),
        *(correction.size or (None,) * 2),
        correction.photo_sha256,
        correction.caller,
        round(time.time(), 3),
    )
