"""Corrections: taken for answers that were given, appended one row each, bounded; a failing disk is said so."""

import asyncio
import csv
import io
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from gateway.feedback import rows
from gateway.feedback_file import Correction, FeedbackFile, GivenAnswer
from servicekit.errors import NotStored

PINK = {"request_id": "01J", "hold_id": 4, "color": "red"}
WHOLE = {
    **PINK,
    "was": "purple",
    "confidence": 0.61,
    "rgb": [196, 38, 44],
    "box": [1204.0, 880.5, 1390.0, 1022.0],
    "image": {"width": 4032, "height": 3024},
    "photo_sha256": "ab" * 32,
}


def stored(gate):
    file = Path(gate.settings.gateway_feedback_file)
    return list(rows(file)) if file.exists() else []


@pytest.fixture
async def gate(gate):
    """One that has given an answer of 5 holds as 01J."""
    return await answered(gate)


async def answered(gate, request_id="01J", **headers):
    assert (await gate.analyze(headers={"x-request-id": request_id, **headers})).status_code == 200
    return gate


async def give(gate, body, **headers):
    return await gate.http.post("/api/feedback", json=body, headers=headers)


async def test_a_correction_is_stored(gate):
    response = await give(gate, WHOLE)
    assert (response.status_code, response.json()) == (201, PINK)
    (row,) = stored(gate)
    assert row[:6] == ("01J", 4, "red", "purple", 0.61, 196)
    assert row[8:16] == (1204.0, 880.5, 1390.0, 1022.0, 4032, 3024, "ab" * 32, "")


async def test_little_is_needed(gate):
    assert (await give(gate, PINK)).status_code == 201
    assert (await give(gate, {**PINK, "hold_id": 3, "color": "unknown", "rgb": None})).status_code == 201
    assert len(stored(gate)) == 2


async def test_the_names_of_the_callers_own_palette_count_where_there_was_one(gate):
    own = {**PINK, "color": "neon yellow (left)", "palette": ["neon yellow (left)", "홀드"], "was": "홀드"}
    assert (await give(gate, own)).status_code == 201
    assert (await give(gate, {**own, "color": "unknown", "hold_id": 3})).status_code == 201
    refused = await give(gate, {**own, "color": "red"})
    assert refused.status_code == 422
    assert "color" in refused.json()["error"]["details"]
    assert [row[2] for row in stored(gate)] == ["neon yellow (left)", "unknown"]


async def test_the_last_word_on_a_hold_counts(gate):
    await give(gate, {**PINK, "color": "unknown"})
    await give(gate, PINK)
    (row,) = stored(gate)
    assert row[2] == "red"


async def test_many_at_once_are_all_stored(gate, hold):
    gate.detector.holds = [hold(number) for number in range(30)]
    await answered(gate)
    answers = await asyncio.gather(*(give(gate, {**PINK, "hold_id": number}) for number in range(30)))
    assert {answer.status_code for answer in answers} == {201}
    assert len(stored(gate)) == 30


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"color": "plaid"}, "color"),
        ({"color": "=1+1"}, "color"),
        ({"color": 5}, "color"),
        ({"color": "=1+1", "palette": ["=1+1"]}, "color"),
        ({"palette": ["=1+1"]}, "palette"),
        ({"palette": ["red\n"]}, "palette"),
        ({"palette": [str(number) for number in range(65)]}, "palette"),
        ({"hold_id": -1}, "hold_id"),
        ({"hold_id": 300}, "hold_id"),
        ({"request_id": "a b"}, "request_id"),
        ({"request_id": "x" * 65}, "request_id"),
        ({"box": [1, 2, 3]}, "box"),
        ({"box": [3, 2, 1, 4]}, "box"),
        ({"rgb": [1, 2, 256]}, "rgb"),
        ({"image": {"width": 0, "height": 1}}, "image"),
        ({"photo_sha256": "xyz"}, "photo_sha256"),
        ({"confidence": 2}, "confidence"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_is_wrong_is_named(gate, change, named):
    response = await give(gate, PINK | change)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "INVALID_PARAMETER")
    assert named in response.json()["error"]["details"]
    assert response.json()["error"]["details"][named].startswith(("must be ", "one of ", "There is no such field."))
    assert stored(gate) == []


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"{" * 4000, b" " * 5000, b"[" * 3_000_000])
async def test_no_body_breaks_it(gate, body):
    response = await gate.http.post("/api/feedback", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "INVALID_PARAMETER")


async def test_a_correction_is_kept_when_the_palette_is_not_known(open_gate):
    gate = await answered(await open_gate())
    await gate.services["colorizer"].stop()
    assert (await give(gate, PINK)).status_code == 201


async def test_without_a_file_there_is_no_such_address(open_gate):
    gate = await open_gate(gateway_feedback_file="")
    assert (await give(gate, PINK)).status_code == 404


async def test_a_folder_that_is_not_there_is_said_and_the_next_one_is_kept(open_gate, tmp_path):
    gate = await answered(await open_gate(gateway_feedback_file=str(tmp_path / "later" / "feedback.db")))
    refused = await give(gate, PINK, **{"accept-language": "ko"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "NOT_STORED")
    assert refused.headers["retry-after"] == "60"
    assert refused.json()["error"]["message"] == "수정 내용을 저장하지 못했습니다. 나중에 다시 보내 주세요."
    assert str(tmp_path) not in refused.text
    (tmp_path / "later").mkdir()
    assert (await give(gate, PINK)).status_code == 201


async def test_a_file_of_another_kind_is_said(gate):
    assert (await give(gate, PINK)).status_code == 201
    file = Path(gate.settings.gateway_feedback_file)
    file.write_bytes(b"not a database, and longer than the head of one " * 4)
    refused = await give(gate, PINK)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "NOT_STORED")
    assert "not a database" in refused.json()["error"]["details"]["reason"]


ANSWER = GivenAnswer("", "first", 300)


def correct(file, number, request_id="first"):
    file.put(Correction(request_id=request_id, hold_id=number % 300, color=f"red{number}", photo_sha256="ab" * 32))


def test_a_full_file_takes_no_more_and_loses_nothing(tmp_path):
    file = FeedbackFile(tmp_path / "f.db", max_bytes=60_000)
    file.remember([ANSWER])
    kept = 0

    def fill():
        nonlocal kept
        while True:
            correct(file, kept)
            kept += 1

    with pytest.raises(NotStored, match="full"):
        fill()
    assert (tmp_path / "f.db").stat().st_size <= 60_000
    assert len(list(rows(tmp_path / "f.db", every=True))) == kept > 100


def in_a_process(file, before, work):
    """Run a script that has a file with one answer and one correction in `file`; what it prints."""
    script = f"""
import os, resource, signal
from pathlib import Path
from gateway.feedback_file import Correction, FeedbackFile, GivenAnswer
from servicekit.errors import NotStored
file = FeedbackFile(Path({str(file)!r}), max_bytes=10**9)
file.remember([GivenAnswer("", "first", 300)])
file.put(Correction(request_id="first", hold_id=0, color="red"))
{before}
try:
    {work}
except NotStored as error:
    print(error.message)
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


PUT = 'for number in range(1, 300): file.put(Correction(request_id="first", hold_id=number, color="x" * 60))'
REMEMBER = 'for number in range(9999): file.remember([GivenAnswer("", str(number), 3)])'


@pytest.mark.parametrize("work", [PUT, REMEMBER])
def test_a_full_disk_takes_no_more_and_loses_nothing(tmp_path, work):
    """A limit on the size of files stands in for the disk: the kernel refuses the write either way."""
    limit = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (28_000, 28_000))"
    assert in_a_process(tmp_path / "f.db", limit, work).startswith("The correction could not be stored: the file")
    assert ("first", 0) in [row[:2] for row in rows(tmp_path / "f.db")]


@pytest.mark.parametrize("work", [PUT, REMEMBER])
def test_a_read_only_disk_is_said(tmp_path, work):
    """Another user's folder stands in for the disk; root may write anywhere, so the child becomes somebody else."""
    lock = (
        f"os.chdir({str(tmp_path)!r}); os.chmod('f.db', 0o444); os.chmod('.', 0o555); os.getuid() or os.setuid(65534)"
    )
    told = in_a_process(tmp_path / "f.db", f"{lock}; file = FeedbackFile(Path('f.db'), max_bytes=10**9)", work)
    assert told.startswith("The correction could not be stored: the file")
    assert [row[0] for row in rows(tmp_path / "f.db")] == ["first"]


def test_a_file_that_somebody_holds_is_said(tmp_path):
    file = FeedbackFile(tmp_path / "f.db", max_bytes=1_000_000)
    file.remember([ANSWER])
    with sqlite3.connect(tmp_path / "f.db") as holder:
        holder.execute("BEGIN EXCLUSIVE")  # as somebody's tool that never ends
        with pytest.raises(NotStored, match="locked"):
            correct(file, 1)
        holder.rollback()
    holder.close()


async def test_the_command_writes_what_is_stored_as_csv(gate):
    await give(gate, WHOLE)
    await give(gate, {**PINK, "hold_id": 3})
    command = [sys.executable, "-m", "gateway.feedback", gate.settings.gateway_feedback_file]
    written = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    first, second = csv.DictReader(io.StringIO(written))
    assert (first["request_id"], first["color"], first["was"], first["x_min"]) == ("01J", "red", "purple", "1204.0")
    assert (second["hold_id"], second["was"]) == ("3", "")


def test_the_command_says_what_is_wrong(tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "gateway.feedback", *words], capture_output=True, text=True, check=False
        )

    assert run().returncode == 2
    missing = run(str(tmp_path / "no.db"))
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr
