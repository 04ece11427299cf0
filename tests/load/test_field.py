"""What broke something in the field, in short: `make field` sends more strangers and tries the command, too."""

import os
from pathlib import Path

import pytest
from climbmate_client.local.cgroup import MemoryCgroup

from bench.field.expected import MADE, REPORTED
from bench.field.members import all_members
from bench.field.rows import Row, table
from bench.field.run import Plan, try_all
from bench.photos.bombs import BOMBS

SHARED = Path(os.environ.get("SHARED", "../shared"))

pytestmark = pytest.mark.timeout(600)


def test_every_photo_that_is_made_here_has_its_right_answer():
    assert set(MADE) == {name for name, _ in all_members()} | set(BOMBS)


def test_a_wrong_row_stands_out_in_the_table():
    rows = [Row("photo", "a", "640 x 480", "500", well=False), Row("photo", "b", "640 x 480", "640 x 480", well=True)]
    assert table(rows).splitlines()[2:] == [
        "| photo | a | 640 x 480 | 500 | WRONG |",
        "| photo | b | 640 x 480 | 640 x 480 | well |",
    ]


@pytest.mark.skipif(not MemoryCgroup.available(), reason="optional: needs root and writable memory cgroups")
@pytest.mark.skipif(not (SHARED / "field" / "make.py").exists(), reason="needs SHARED's reported files")
def test_all_that_broke_something_in_the_field_is_answered_as_it_should_be():
    rows = try_all(Plan(SHARED, share=0.1, commands=False))
    wrong = [row for row in rows if not row.well]
    assert not wrong, f"\n{table(wrong)}"
    assert set(REPORTED) <= {row.name for row in rows}, "SHARED makes fewer files than are known; is cjpeg installed?"
