"""The installed command as a process: whatever file, output, terminal, server or signal it meets, one line at most."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("climbmate")
LIMIT_BYTES = 24 * 1024 * 1024


def start(*arguments, stdout=subprocess.PIPE, **options):
    environ = {**os.environ, "COLUMNS": "100", **options.pop("environ", {})}
    return subprocess.Popen(
        [COMMAND, *map(os.fsencode, map(str, arguments))],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environ,
        stdin=options.pop("stdin", subprocess.DEVNULL),
        **options,
    )


def run(*arguments, **options):
    """Exit code, what was printed, and what was said aside."""
    process = start(*arguments, **options)
    out, aside = process.communicate(timeout=60)
    assert b"Traceback" not in aside
    assert b"Exception ignored" not in aside
    return process.returncode, out, aside.decode(errors="backslashreplace")


def error(aside):
    """The only line that was said."""
    [line] = [line for line in aside.splitlines() if line.startswith("Error: ")]
    return line


# Files.


@pytest.fixture
def sparse(tmp_path):
    file = tmp_path / "tera.jpg"
    with file.open("wb") as opened:
        opened.truncate(4 << 40)
    return file


@pytest.mark.parametrize("file", ["/dev/zero", "/dev/urandom", "sparse", "one more"])
def test_a_file_that_is_too_large_is_refused_without_reading_it_whole(gateway, tmp_path, sparse, file):
    (tmp_path / "one-more.jpg").write_bytes(bytes(LIMIT_BYTES + 1))
    file = {"sparse": sparse, "one more": tmp_path / "one-more.jpg"}.get(file, file)
    code, out, aside = run("analyze", file, "--url", gateway.url, preexec_fn=little_memory)
    assert (code, out) == (1, b"")
    assert error(aside) == f"Error: IMAGE_TOO_LARGE: The file has more than {LIMIT_BYTES} bytes."
    assert not gateway.requests


def little_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (400_000_000,) * 2)


def test_the_largest_photo_is_sent(gateway, tmp_path):
    (tmp_path / "a.jpg").write_bytes(bytes(LIMIT_BYTES))
    run("analyze", tmp_path / "a.jpg", "--url", gateway.url)
    assert len(gateway.requests[0].body) == LIMIT_BYTES


def test_a_photo_may_come_through_a_pipe(gateway, tmp_path, wall_jpeg):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    threading.Thread(target=fifo.write_bytes, args=(wall_jpeg,)).start()
    assert run("analyze", fifo, "--url", gateway.url, "--json")[0] == 0
    with subprocess.Popen(["cat", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        cat.stdin.write(wall_jpeg)
        cat.stdin.close()
        assert run("analyze", "/dev/stdin", "--url", gateway.url, "--json", stdin=cat.stdout)[0] == 0
    assert [request.body for request in gateway.requests if request.body] == [wall_jpeg] * 2


def test_a_pipe_that_nobody_writes_to_has_an_end(gateway, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    code, out, aside = run("analyze", tmp_path / "fifo", "--url", gateway.url)
    assert (code, out) == (1, b"")
    assert error(aside).endswith("fifo: nothing came from it for 10 s")


def test_other_things_than_files_are_one_line(gateway, tmp_path):
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for file, code in ((tmp_path / "loop.jpg", 2), (tmp_path / "socket", 1), ("/proc/self/mem", 1), ("", 2)):
            ended, out, aside = run("analyze", file, "--url", gateway.url)
            assert (ended, out) == (code, b""), file
            assert error(aside)
    assert not gateway.requests


def test_files_of_the_kernel_without_a_size_are_read(gateway):
    run("analyze", "/proc/version", "--url", gateway.url)
    assert gateway.requests[0].body == Path("/proc/version").read_bytes()


# Folders.

BAD_NAME = os.fsdecode(b"\xff\xfe.jpg")
NAMES = [BAD_NAME, "벽.jpg", "line\nend.jpg", "\x1b[2J\x1b]0;owned\x07.jpg", "[red][/].jpg", ":smile:.jpg"]


@pytest.fixture
def folder(tmp_path):
    walls = tmp_path / "walls"
    walls.mkdir()
    for number, name in enumerate(NAMES):
        (walls / name).parent.mkdir(exist_ok=True)
        (walls / name).write_bytes(b"\xff\xd8\xff" + bytes([number]))
    return walls


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_names_of_any_bytes_are_told_in_the_file_and_not_asked_again(gateway, folder, locale):
    for _ in range(2):
        code, _, _ = run("analyze", folder, "--url", gateway.url, "--save", folder / "a.jsonl", environ=locale)
        assert code == 0
    lines = [json.loads(line) for line in (folder / "a.jsonl").read_text().splitlines()]
    assert {line["photo"] for line in lines} == {"\\xff\\xfe.jpg", *NAMES[1:]}
    assert sum(request.path == "/api/analyze" for request in gateway.requests) == len(NAMES)


def test_names_do_not_command_the_terminal(gateway, folder):
    body = {"error": {"code": "INVALID_IMAGE", "message": "\x1b[2J[/]", "request_id": "", "details": {}}}
    gateway.answer("/api/analyze", (400, body))
    code, out, aside = run("analyze", folder, "--url", gateway.url, "--save", folder / "\x1b[2J.jsonl")
    assert code == 0
    assert "\x1b" not in out.decode() + aside
    assert "line\\nend.jpg: INVALID_IMAGE: \\x1b[2J[/]" in aside
    assert "\\x1b[2J.jsonl" in out.decode()


def test_what_cannot_be_read_is_told_and_the_others_are_analyzed(gateway, folder, sparse):
    sparse.rename(folder / "tera.jpg")
    (folder / "memory.jpg").symlink_to("/proc/self/mem")
    code, _, aside = run("analyze", folder, "--url", gateway.url, "--save", folder / "a.jsonl")
    assert code == 1
    assert "memory.jpg: Input/output error" in aside
    assert "1 of 8 photos failed for now" in aside
    lines = [json.loads(line) for line in (folder / "a.jsonl").read_text().splitlines()]
    assert {line["photo"]: line["error"]["code"] for line in lines if "error" in line} == {
        "tera.jpg": "IMAGE_TOO_LARGE"
    }
    assert len(lines) == 7
    run("analyze", folder, "--url", gateway.url, "--save", folder / "a.jsonl")
    assert len((folder / "a.jsonl").read_text().splitlines()) == 7, "nor is it told again"


# Outputs and terminals.


def commands(gateway, wall_file):
    return {
        "analyze": ("analyze", wall_file, "--url", gateway.url),
        "analyze --json": ("analyze", wall_file, "--url", gateway.url, "--json"),
        "analyze DIR": ("analyze", wall_file.parent, "--url", gateway.url),
        "monitor --json": ("monitor", "--url", gateway.url, "--every", "0.2", "--json"),
        "monitor --once": ("monitor", "--url", gateway.url, "--once"),
        "--help": ("--help",),
    }


ALL = list(commands(type("", (), {"url": ""}), Path("/tmp")))


@pytest.mark.parametrize("name", ALL)
def test_a_full_disk_behind_the_output_is_one_line(gateway, wall_file, name):
    with Path("/dev/full").open("wb") as full:
        code, _, aside = run(*commands(gateway, wall_file)[name], stdout=full)
    assert (code, error(aside)) == (1, "Error: standard output: No space left on device")


@pytest.mark.parametrize("name", ALL)
def test_an_output_that_nobody_reads_any_more_is_no_word(gateway, wall_file, name):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        code, _, aside = run(*commands(gateway, wall_file)[name], stdout=nobody)
    assert code == 1
    assert "Error" not in aside


@pytest.mark.parametrize("name", ALL)
def test_a_closed_output_is_one_line_before_any_work(gateway, wall_file, name):
    code, _, aside = run(*commands(gateway, wall_file)[name], stdout=None, preexec_fn=lambda: os.close(1))
    assert (code, error(aside)) == (1, "Error: standard output is closed")
    assert not gateway.requests


def test_closed_input_and_errors_are_no_harm(gateway, wall_file):
    def close():
        os.close(0)
        os.close(2)

    code, out, _ = run("analyze", wall_file, "--url", gateway.url, "--json", preexec_fn=close)
    assert (code, json.loads(out)["request_id"]) == (0, "01JABC")


def test_a_full_disk_behind_a_file_is_one_line(gateway, wall_file):
    code, out, aside = run("analyze", wall_file, "--url", gateway.url, "--save", "/dev/full")
    assert (code, out, error(aside)) == (1, b"", "Error: /dev/full: No space left on device")


@pytest.mark.parametrize("file", ["/dev/zero", "/dev/full", "sparse", "fifo"])
def test_what_is_no_file_of_answers_is_not_read_whole(gateway, wall_file, sparse, file):
    os.mkfifo("fifo")
    file = sparse if file == "sparse" else file
    code, out, aside = run("analyze", wall_file.parent, "--url", gateway.url, "--save", file, preexec_fn=little_memory)
    assert (code, out) == ((1 if file == "fifo" else 2), b"")
    assert error(aside)
    assert not [request for request in gateway.requests if request.body]


TERMINALS = {
    "ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "C": {"LC_ALL": "C"},
    "dumb": {"LC_ALL": "C", "TERM": "dumb"},
    "latin": {"PYTHONIOENCODING": "latin-1"},
    "strict ASCII": {"PYTHONIOENCODING": "ascii:strict"},
}


@pytest.mark.parametrize("terminal", TERMINALS.values(), ids=TERMINALS)
def test_any_terminal_takes_korean(gateway, wall_file, terminal):
    name = wall_file.rename(wall_file.with_name("벽.jpg"))
    asked = ("analyze", name, "--url", gateway.url, "--palette", "빨강", "--palette", "[/]", "--save", "답.json")
    code, _, aside = run(*asked, environ=terminal)
    assert code == 0, aside
    assert gateway.requests[0].params == {"palette": "빨강,[/]"}
    refused = {"error": {"code": "INVALID_IMAGE", "message": "읽을 수 없습니다.", "request_id": "", "details": {}}}
    gateway.answer("/api/analyze-stream", (400, refused))
    code, _, aside = run(*asked, environ=terminal)
    assert (code, error(aside)[:21]) == (1, "Error: INVALID_IMAGE:")


def test_colors_may_be_called_what_would_be_markup(gateway, wall_file):
    answer = json.loads(json.dumps(gateway.script["/api/analyze-stream"][0][1].decode()))
    gateway.answer("/api/analyze-stream", (200, answer.replace('"red"', '"[/]:smile:\\u001b[2J"').encode()))
    code, out, _ = run("analyze", wall_file, "--url", gateway.url)
    assert code == 0
    assert "[/]:smile:\\x1b[2J" in out.decode()


def test_a_palette_that_is_no_text_is_one_line(gateway, wall_file):
    code, _, aside = run("analyze", wall_file, "--url", gateway.url, "--palette", os.fsdecode(b"\xff"))
    assert code == 2
    assert "is not UTF-8" in error(aside)


# Servers.

URLS = [
    "http://[::1",
    "http://127.0.0.1:99999",
    "nonsense",
    "",
    "http://a b",
    "ftp://x",
    "http://벽..x",
    "http://" + "a" * 70,
]


@pytest.mark.parametrize("url", URLS)
def test_an_address_that_is_none_is_one_line(wall_file, url):
    code, out, aside = run("analyze", wall_file, "--url", url)
    assert (code, out) == (3, b"")
    assert error(aside)


def test_an_address_that_is_none_is_one_line_of_every_command(wall_file):
    assert run("analyze", wall_file.parent, "--url", URLS[0])[0] == 3
    assert run("monitor", "--url", URLS[0], "--once")[0] == 3


STRANGERS = {
    "HTML": (200, b"<html>", {}),
    "nothing": (200, b"", {}),
    "half": (200, b'{"request_id": "a", "ima', {}),
    "no UTF-8": (200, b'{"a": "\xff"}', {}),
    "depth": (200, b"[" * 100_000, {}),
    "a redirect": (302, b"", {"Location": "http://127.0.0.1:9/"}),
    "a refusal of somebody else": (403, b"<html>\x1b[2J", {}),
    "no gzip": (200, b"nonsense", {"Content-Encoding": "gzip"}),
    "a stream of nonsense": (200, b"event: result\ndata: \xff\n\n", {}),
    "a wait without end": (503, b'{"error": {"code": "OVERLOADED", "message": "No."}}', {"Retry-After": "nan"}),
    "a wait back in time": (503, b'{"error": {"code": "OVERLOADED", "message": "No."}}', {"Retry-After": "-5"}),
}


@pytest.mark.parametrize("answer", STRANGERS.values(), ids=STRANGERS)
def test_what_no_gateway_answers_is_one_line(gateway, wall_file, answer):
    for path in ("/api/analyze-stream", "/api/health"):
        gateway.answer(path, answer)
    code, out, aside = run("analyze", wall_file, "--url", gateway.url)
    assert code in (1, 3)
    assert out == b""
    assert "\x1b" not in error(aside)


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-x\r\n", b"\0\0\x18\4" + bytes(50), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_server_of_another_kind_is_one_line(wall_file, answer):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve_once, args=(listening, answer), daemon=True).start()
        code, _, aside = run("analyze", wall_file, "--url", f"http://127.0.0.1:{listening.getsockname()[1]}")
    assert code == 3
    assert error(aside)


def serve_once(listening, answer):
    connection, _ = listening.accept()
    with connection:
        connection.recv(100)
        connection.sendall(answer)


# Signals.


@pytest.fixture
def silent():
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.usefixtures("wall_file")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", [("analyze", "wall.jpg"), ("analyze", "."), ("monitor",)])
@pytest.mark.parametrize("after_s", [0, 0.3, 2])
def test_a_signal_at_any_time_and_a_second_one_end_it_well(silent, until_it_listens, number, command, after_s):
    process = start(*command, "--url", silent)
    until_it_listens(process)
    time.sleep(after_s)
    process.send_signal(number)
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    before_s = time.monotonic()
    out, aside = process.communicate(timeout=20)
    assert time.monotonic() - before_s < 8
    assert b"Traceback" not in out + aside
    assert process.returncode in ((0, 130) if command[0] == "monitor" else (130,))


def test_the_third_signal_is_meant(silent, wall_file, until_it_listens):
    process = start("analyze", wall_file.parent, "--url", silent)
    until_it_listens(process)
    for _ in range(3):
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
    out, aside = process.communicate(timeout=2)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in aside
