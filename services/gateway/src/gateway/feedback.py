"""Writes people's corrections out for training: `python -m gateway.feedback [--all] FILE > feedback.csv`.

Each caller's last word on each hold, or with `--all` every word. The gateway may go on writing meanwhile.
"""

import contextlib
import csv
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from gateway.feedback_file import COLUMNS

_LIST = ", ".join(COLUMNS)
_NUMBERS = {"corrections": "number", "feedback": "-1"}
"""The tables that hold corrections, and where each has the number of a word on a hold. The second one is from version
0.1.0, which kept one word on a hold; its rows stay where they are, and come before the others."""


def rows(path: Path, *, every: bool = False) -> Iterator[tuple[object, ...]]:
    """The corrections in a file, the oldest first: each caller's last word on each hold, or `every` word.

    Raises:
        sqlite3.Error: It is no file of corrections.
    """
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
        found = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        parts = [f"SELECT {_LIST}, {_NUMBERS[name]} AS number FROM {name}" for name in found if name in _NUMBERS]  # noqa: S608
        if not parts:
            raise sqlite3.DatabaseError("there is no table of corrections in it")
        words = " UNION ALL ".join(parts)
        if not every:  # SQLite takes the columns beside max() from the row that has it
            words = f"SELECT {_LIST}, max(number) AS number FROM ({words}) GROUP BY request_id, caller, hold_id"  # noqa: S608
        yield from file.execute(f"SELECT {_LIST} FROM ({words}) ORDER BY at_unix_s, request_id, hold_id, number")  # noqa: S608


def main() -> int:
    """Write a file of corrections as CSV to standard output."""
    every, files = "--all" in sys.argv[1:], [word for word in sys.argv[1:] if word != "--all"]
    if len(files) != 1:
        sys.stderr.write("usage: python -m gateway.feedback [--all] FILE > feedback.csv\n")
        return 2
    try:
        written = csv.writer(sys.stdout, lineterminator="\n")
        written.writerow(COLUMNS)
        written.writerows(rows(Path(files[0]), every=every))
    except sqlite3.Error as error:
        sys.stderr.write(f"{files[0]}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
