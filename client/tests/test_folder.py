"""`climbmate analyze DIR`, in a process of its own, against the fake gateway."""

import json
import signal
import subprocess
import sys
import time

import pytest
from climbmate_client.journal import Journal, JournalError


@pytest.fixture
def folder(tmp_path):
    for name in ("a.jpg", "b.PNG", "below/c.webp", "notes.txt", ".hidden/d.jpg", "below/.e.jpg"):
        file = tmp_path / "walls" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\xff\xd8\xff" + name.encode())
    return tmp_path / "walls"


def start(folder, url, *more):
    command = [sys.executable, "-m", "climbmate_client", "analyze", str(folder), "--url", url, *map(str, more)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder.parent)


def run(folder, url, *more):
    process = start(folder, url, *more)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def lines(folder, name="climbmate.jsonl"):
    return [json.loads(line) for line in (folder.parent / name).read_text().splitlines()]


def photos_sent(gateway):
    return [request for request in gateway.requests if request.path == "/api/analyze"]


def refusal(code):
    return {"error": {"code": code, "message": "No.", "request_id": "01J", "details": {}}}


def test_every_photo_below_a_folder_is_a_line(gateway, folder):
    code, out, _ = run(folder, gateway.url)
    assert (code, out) == (0, "Wrote climbmate.jsonl\n")
    assert sorted(line["photo"] for line in lines(folder)) == ["a.jpg", "b.PNG", "below/c.webp"]
    assert all(line["result"]["problems"][0]["id"] == "red-1" for line in lines(folder))
    assert len(photos_sent(gateway)) == 3


def test_a_second_run_asks_only_for_what_is_new(gateway, folder):
    run(folder, gateway.url)
    (folder / "a.jpg").write_bytes(b"\xff\xd8\xff changed")
    (folder / "f.jpg").write_bytes(b"\xff\xd8\xff new")
    code, _, _ = run(folder, gateway.url)
    assert code == 0
    assert len(photos_sent(gateway)) == 5
    assert len(lines(folder)) == 5


def test_other_parameters_are_other_answers(gateway, folder):
    run(folder, gateway.url)
    run(folder, gateway.url, "--max-holds", 9)
    run(folder, gateway.url, "--max-holds", 9)
    assert len(photos_sent(gateway)) == 6
    assert photos_sent(gateway)[-1].params == {"max_holds": "9"}


def test_a_line_that_was_not_written_to_its_end_is_asked_for_again(gateway, folder):
    run(folder, gateway.url)
    file = folder.parent / "climbmate.jsonl"
    file.write_bytes(file.read_bytes()[:-40])
    code, _, _ = run(folder, gateway.url)
    assert code == 0
    assert len(photos_sent(gateway)) == 4
    assert len(lines(folder)) == 3


def test_what_is_refused_for_good_is_a_line_and_not_asked_again(gateway, folder):
    gateway.answer("/api/analyze", (400, refusal("INVALID_IMAGE")))
    code, _, err = run(folder, gateway.url)
    assert code == 0
    assert "INVALID_IMAGE" in err
    assert {line["error"]["code"] for line in lines(folder)} == {"INVALID_IMAGE"}
    run(folder, gateway.url)
    assert len(photos_sent(gateway)) == 3


def test_what_fails_for_now_is_left_to_the_next_run(gateway, folder):
    gateway.answer("/api/analyze", (503, refusal("OVERLOADED"), {"Retry-After": "99"}))
    code, _, err = run(folder, gateway.url, "--save", "own.jsonl")
    assert code == 1
    assert "3 of 3 photos failed for now" in err
    assert lines(folder, "own.jsonl") == []


def test_an_interrupted_run_keeps_what_it_has(gateway, folder):
    for number in range(60):
        (folder / f"{number}.jpg").write_bytes(b"\xff\xd8\xff" + str(number).encode())
    process = start(folder, gateway.url)
    file = folder.parent / "climbmate.jsonl"
    while not file.exists() or file.stat().st_size < 3_000:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err
    kept = len(lines(folder))
    assert 0 < kept <= 63
    assert run(folder, gateway.url)[0] == 0
    assert len(lines(folder)) == 63
    assert len(photos_sent(gateway)) <= 63 + 4


def test_a_gateway_that_is_not_there_is_one_line(folder):
    code, _, err = run(folder, "http://127.0.0.1:9")
    assert code == 3
    assert "Traceback" not in err


def test_an_empty_folder_is_an_empty_file(gateway, tmp_path):
    (tmp_path / "walls").mkdir()
    assert run(tmp_path / "walls", gateway.url)[0] == 0
    assert lines(tmp_path / "walls") == []


@pytest.mark.parametrize("option", [["--json"], ["--overlay", "x.png"]])
def test_what_is_for_one_photo_is_refused_for_a_folder(gateway, folder, option):
    code, _, err = run(folder, gateway.url, *option)
    assert code == 2
    assert "for one photo" in err


def test_a_file_of_something_else_is_left_alone(gateway, folder):
    (folder.parent / "diary.txt").write_text("Dear diary\nmore\n")
    code, _, err = run(folder, gateway.url, "--save", "diary.txt")
    assert code == 2
    assert "name another file" in err
    assert (folder.parent / "diary.txt").read_text() == "Dear diary\nmore\n"


@pytest.mark.parametrize(
    "content",
    [b'{"photo": "\xff"}\n', b"[" * 100_000, b'{"photo":' + bytes(65 << 20) + b"\nmore\n"],
    ids=["no UTF-8", "deep", "long"],
)
def test_what_is_no_line_of_ours_is_left_as_it_is(tmp_path, content):
    file = tmp_path / "own.jsonl"
    file.write_bytes(content)
    with pytest.raises(JournalError):
        Journal(file, {})
    assert file.read_bytes() == content


def test_text_without_an_end_is_not_taken_for_a_torn_line(tmp_path):
    file = tmp_path / "diary.txt"
    file.write_text("Dear diary")
    with pytest.raises(JournalError):
        Journal(file, {})
    assert file.read_text() == "Dear diary"
