"""A service as a process, with small stand-ins for services."""

import signal
import sys
import time

import pytest
from climbmate_client.local import ServiceProcess
from climbmate_client.local.merged_log import MergedLog, readable

OBEDIENT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready")
signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
while True:
    signal.pause()
"""


@pytest.fixture
def run():
    """Start a program and wait for its first line."""
    started = []

    def start(code, lines=None):
        lines = [] if lines is None else lines
        command = [sys.executable, "-u", "-c", code]
        process = ServiceProcess("detector", command, {}, lines.append)
        started.append(process)
        process.start()
        end_s = time.monotonic() + 10
        while not lines and process.running and time.monotonic() < end_s:
            time.sleep(0.01)
        return process

    yield start
    for process in started:
        process.kill()


def test_it_stops_when_asked_and_starts_again(run):
    process = run(OBEDIENT)
    first = process.pid
    assert process.running
    assert process.stop() == 0
    assert not process.running
    process.start()
    assert process.pid != first


def test_it_is_killed_when_it_does_not_listen(run):
    process = run(STUBBORN)
    assert process.stop(limit_s=0.2) == -signal.SIGKILL


def test_it_is_killed_when_it_is_frozen(run):
    process = run(OBEDIENT)
    process.send_signal(signal.SIGSTOP)
    assert process.stop(limit_s=0.2) == -signal.SIGKILL


def test_starting_twice_is_starting_once(run):
    process = run(OBEDIENT)
    first = process.pid
    process.start()
    assert process.pid == first


def test_its_last_lines_are_kept_also_those_that_are_not_text(run):
    lines = []
    process = run("import os; os.write(1, b'one\\n\\xff\\n'); print('x' * 200_000); raise SystemExit(3)", lines)
    assert process.wait(10)
    assert process.exit_code == 3
    assert process.last_lines(3)[-1] == "x" * 200_000
    assert process.last_lines(3)[:2] == ["one", "�"]
    assert lines == process.last_lines(3)


def test_a_log_that_nobody_reads_any_more_does_not_block_it(run):
    class Closed(list):
        def append(self, line):
            super().append(line)
            raise BrokenPipeError

    process = run("print('one'); print('x' * 200_000); print('end')", Closed())
    assert process.wait(10)
    assert process.exit_code == 0
    assert process.last_lines(1) == ["end"]


def test_a_process_that_never_ran_has_no_id_and_stops_without_a_word():
    process = ServiceProcess("detector", ["true"], {}, print)
    assert process.stop() is None
    assert not process.running
    with pytest.raises(RuntimeError):
        _ = process.pid


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("[1, 2]", "[1, 2]"),
        ('{"event": "ready"}', "ready"),
        ('{"event": "e", "stages": {}}', "e stages=[]"),
        ('{"event": "e", "limits": {"a": 1}}', 'e limits={"a":1}'),
        (
            '{"event": "e", "stages": {"decode": {"duration_ms": 54.3, "before_mb": 9.0, "delta_mb": 6.2}}}',
            "e stages=[decode 54 ms +6 MB]",
        ),
        ('{"event": "e", "stages": {"crops": {"duration_ms": 1.2, "delta_mb": -0.4}}}', "e stages=[crops 1 ms]"),
        (
            '{"time": "2026-11-20T12:00:01.250+00:00", "level": "INFO", "event": "e", "ms": 2.5}',
            "12:00:01.250 e ms=2.5",
        ),
        ('{"event": "bug", "trace": "line 1\\nline 2"}', "bug\nline 1\nline 2"),
    ],
)
def test_a_log_line_becomes_short(line, text):
    assert readable(line) == text


def test_each_line_of_the_merged_log_carries_its_service():
    lines = []
    log = MergedLog(lines.append)
    log.for_service("gateway")('{"event": "bug", "trace": "a\\nb"}')
    log.say("hello")
    assert len(lines) == 4
    assert all("gateway" in line for line in lines[:3])
    assert "climbmate" in lines[3]
