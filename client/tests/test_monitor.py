"""`climbmate monitor` against the fake gateway, fake services and stand-ins of local processes."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from climbmate.status.v1 import status_pb2, status_pb2_grpc
from climbmate_client.answers import Lately, Memory, ServiceHealth
from climbmate_client.local.found import find_services, memory_of
from climbmate_client.monitor.look import Seen, Watcher
from climbmate_client.monitor.table import History, as_json, render
from rich.console import Console

NOWHERE = "http://127.0.0.1:9"
BUSY = ServiceHealth(
    serving=True,
    memory=Memory(192_000_000, 240_000_000, 120_000_000, "high"),
    in_flight=5,
    waiting=3,
    lately=Lately(requests_per_s=9.44, p50_ms=104.4, p99_ms=240.0, refused=17),
)


def monitor(*arguments):
    command = [sys.executable, "-m", "climbmate_client", "monitor", *map(str, arguments)]
    environ = {**os.environ, "COLUMNS": "160"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)


@pytest.fixture
def printed():
    """What a terminal shows of some services."""

    def show(seen, width=160):
        history = History()
        history.note(seen)
        console = Console(width=width, record=True, file=io.StringIO())
        console.print(render(seen, history, width))
        return console.export_text()

    return show


def test_no_services_are_an_empty_table(printed):
    assert "MB of limit" in printed([])


def test_a_service_is_shown_with_all_its_figures(printed):
    text = printed([Seen("detector", BUSY, BUSY.memory)])
    row = next(line for line in text.splitlines() if line.startswith("detector"))
    assert "serving" in row
    assert "80%" in row
    assert "192 / 240" in row
    assert row.split()[-5:] == ["5", "3", "9.4", "104/240", "17"]


def test_eighty_columns_are_enough(printed):
    for row in printed([Seen("colorizer", BUSY, BUSY.memory), Seen("gateway")], width=80).splitlines():
        assert "…" not in row
        assert len(row) <= 80


def test_a_service_without_an_answer_or_a_limit_is_shown_too(printed):
    text = printed([Seen("detector"), Seen("gateway", None, Memory(62_000_000), 4711)])
    assert text.count("no answer") == 2
    assert "?" in text
    assert "none" in text
    assert "62" in text


def test_once_prints_what_the_gateway_tells(gateway):
    done = monitor("--url", gateway.url, "--once")
    assert done.returncode == 0, done.stderr
    assert "detector" in done.stdout
    assert "140" in done.stdout


def test_json_is_one_line_for_each_look(gateway):
    done = monitor("--url", gateway.url, "--once", "--json")
    (line,) = done.stdout.splitlines()
    rows = {row["service"]: row for row in json.loads(line)}
    assert rows["detector"]["health"]["serving"] is True
    assert rows["detector"]["memory"]["used_bytes"] == 140_000_000


def test_where_nothing_answers_and_nothing_runs_it_says_so(monkeypatch):
    watcher = Watcher(NOWHERE, local=False)
    assert watcher.look() == [Seen("gateway")]
    assert json.loads(as_json(watcher.look()))[0]["state"] == "no answer"


def test_a_live_view_ends_with_ctrl_c_and_exit_code_0(gateway):
    command = [sys.executable, "-m", "climbmate_client", "monitor", "--url", gateway.url, "--every", "0.2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end_s = time.monotonic() + 30
        while len(gateway.requests) < 2 and time.monotonic() < end_s:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert "detector" in output


@pytest.mark.parametrize("pair", ["detector", "=x:1 y=z"])
def test_a_service_must_be_named_with_its_address(pair):
    done = monitor("--service", pair.split()[0], "--once") if "=" not in pair else monitor("--service", "a", "--once")
    assert done.returncode == 2
    assert "NAME=ADDRESS" in done.stderr


class Status(status_pb2_grpc.StatusServiceServicer):
    def GetStatus(self, request, context):
        return status_pb2.GetStatusResponse(
            service="detector",
            memory=status_pb2.Memory(
                used_bytes=90, limit_bytes=100, floor_bytes=50, level=status_pb2.MEMORY_LEVEL_CRITICAL
            ),
            in_flight=2,
            waiting=1,
            activity=status_pb2.Activity(requests_per_s=3.0, p50_ms=10.0, p99_ms=20.0, refused=4),
        )


def test_a_service_can_be_asked_directly_when_the_gateway_is_away():
    server = grpc.server(ThreadPoolExecutor(1))
    status_pb2_grpc.add_StatusServiceServicer_to_server(Status(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    watcher = Watcher(NOWHERE, {"detector": f"127.0.0.1:{port}", "colorizer": "127.0.0.1:9"}, local=False)
    try:
        seen = {each.name: each for each in watcher.look()}
    finally:
        watcher.close()
        server.stop(0).wait()
    assert seen["detector"].health.memory == Memory(90, 100, 50, "critical")
    assert seen["detector"].health.lately == Lately(3.0, 10.0, 20.0, 4)
    assert (seen["detector"].health.in_flight, seen["detector"].health.waiting) == (2, 1)
    assert seen["colorizer"].state == seen["gateway"].state == "no answer"


@contextlib.contextmanager
def stand_in(folder):
    """A process that looks like a detector and answers nothing."""
    (folder / "detector.py").write_text("import time\nheld = bytes(30_000_000)\ntime.sleep(60)\n")
    with subprocess.Popen([sys.executable, "-m", "detector"], cwd=folder) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_local_process_that_does_not_answer_is_seen_from_outside(tmp_path):
    with stand_in(tmp_path) as process:
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            found = [each for each in find_services(("detector",)) if each.pid == process.pid]
            if found and found[0].memory.used_bytes > 5_000_000:
                break
            time.sleep(0.1)
        rows = Watcher(NOWHERE).look()
    assert found
    assert process.pid in {row.pid for row in rows}
    assert {row.state for row in rows} == {"no answer"}


def test_a_cgroup_with_a_limit_is_the_memory_of_a_service(tmp_path, monkeypatch):
    from climbmate_client.local import found

    process, group = tmp_path / "proc", tmp_path / "cgroups" / "memory" / "pod"
    process.mkdir()
    group.mkdir(parents=True)
    (process / "cgroup").write_text("4:memory:/pod\n")
    (group / "memory.stat").write_text("total_inactive_file 30\nhierarchical_memory_limit 100\n")
    (group / "memory.usage_in_bytes").write_text("90")
    monkeypatch.setattr(found, "_CGROUPS", tmp_path / "cgroups")
    assert memory_of(process) == Memory(60, 100)
    v2 = tmp_path / "cgroups" / "pod"
    v2.mkdir()
    (process / "cgroup").write_text("0::/pod\n")
    for name, text in {"memory.max": "200", "memory.current": "90", "memory.stat": "inactive_file 20\n"}.items():
        (v2 / name).write_text(text)
    assert memory_of(process) == Memory(70, 200)
