"""People's corrections of colors, kept in a SQLite file for training.

`python -m gateway.feedback FILE > feedback.csv` writes them out. The file holds no photos: a correction says which hold
of which answer it is about, and the photo's digest where the caller told it.
"""

import csv
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from servicekit.errors import NotStored

_PAGE_BYTES = 4096  # SQLite's own
_CACHE_KIB = 256
_BUSY_S = 2.0
_RETRY_AFTER_S = 60.0
_MAKE = """
CREATE TABLE IF NOT EXISTS feedback (
    request_id TEXT NOT NULL, hold_id INTEGER NOT NULL, color TEXT NOT NULL, was TEXT, confidence REAL,
    red INTEGER, green INTEGER, blue INTEGER, x_min REAL, y_min REAL, x_max REAL, y_max REAL,
    width INTEGER, height INTEGER, photo_sha256 TEXT, caller TEXT NOT NULL, at_unix_s REAL NOT NULL,
    PRIMARY KEY (request_id, hold_id)
) WITHOUT ROWID
"""
_COLUMNS = (
    "request_id", "hold_id", "color", "was", "confidence", "red", "green", "blue", "x_min", "y_min", "x_max", "y_max",
    "width", "height", "photo_sha256", "caller", "at_unix_s",
)  # fmt: skip
_PUT = f"INSERT OR REPLACE INTO feedback VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - constants
_ALL = f"SELECT {', '.join(_COLUMNS)} FROM feedback ORDER BY at_unix_s, request_id, hold_id"  # noqa: S608 - constants


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


class FeedbackStore:
    """Stores corrections, one row for each hold of an answer: the last word counts. Safe to use from any thread.

    The file is opened for every correction, so that one that was moved away, or a disk that is there again, is seen.
    """

    def __init__(self, file: Path, *, max_bytes: int) -> None:
        self._file = file
        self._max_pages = max_bytes // _PAGE_BYTES

    def put(self, correction: Correction) -> None:
        """Store a correction durably.

        Raises:
            NotStored: It could not be.
        """
        try:
            with closing(self._open()) as database, database:
                database.execute(_PUT, _row(correction))
        except sqlite3.Error as error:
            raise NotStored(f"The correction could not be stored: {error}.", retry_after_s=_RETRY_AFTER_S) from error

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=_BUSY_S)
        try:
            database.execute(f"PRAGMA max_page_count = {self._max_pages}")
            database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            database.execute(_MAKE)
        except sqlite3.Error:
            database.close()
            raise
        return database


def rows(file: Path) -> Iterator[tuple[object, ...]]:
    """All corrections in a file, the oldest first.

    Raises:
        sqlite3.Error: It is no file of corrections.
    """
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        yield from database.execute(_ALL)


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


def main() -> int:
    """Write a file of corrections as CSV to standard output."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m gateway.feedback FILE > feedback.csv\n")
        return 2
    try:
        written = csv.writer(sys.stdout, lineterminator="\n")
        written.writerow(_COLUMNS)
        written.writerows(rows(Path(sys.argv[1])))
    except sqlite3.Error as error:
        sys.stderr.write(f"{sys.argv[1]}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
