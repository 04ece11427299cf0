"""Three stand-ins for the services, which listen where they are told: the stack starts, watches and stops them."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from climbmate_client.local import LocalStack, StartFailed
from climbmate_client.local.cgroup import MemoryCgroup
from climbmate_client.local.keep_running import keep_running

MODEL_SERVICE = """
import os, signal, sys
name = {name!r}
if os.environ.get("BREAK") == name:
    print('{{"level": "CRITICAL", "event": "cannot start", "reason": "no model"}}')
    sys.exit(1)
address = os.environ[name.upper() + "_LISTEN"].removeprefix("unix:")
signal.signal(signal.SIGTERM, lambda *_: (os.remove(address), print("stopped"), sys.exit(0)))
open(address, "w").close()
print('{{"level": "INFO", "event": "ready"}}')
while True:
    signal.pause()
"""
GATEWAY = """
import http.server, os, signal, sys, threading
host, _, port = os.environ["GATEWAY_LISTEN"].rpartition(":")
needed = [os.environ[f"GATEWAY_{name}_TARGET"].removeprefix("unix:") for name in ("DETECTOR", "COLORIZER")]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = all(map(os.path.exists, needed)) and "NEVER" not in os.environ
        self.send_response(200 if ready else 503)
        self.end_headers()
    def log_message(self, *_):
        pass
def stop(*_):
    print("the others are there:", all(map(os.path.exists, needed)))
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
print("serving", os.environ["GATEWAY_GRPC_LISTEN"])
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


@pytest.fixture
def stand_ins(tmp_path):
    """A folder that holds the modules `detector`, `colorizer`, `gateway`, and models."""
    for name in ("detector", "colorizer"):
        (tmp_path / f"{name}.py").write_text(MODEL_SERVICE.format(name=name))
    (tmp_path / "gateway.py").write_text(GATEWAY)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "manifest.toml").touch()
    return tmp_path


@pytest.fixture
def make(stand_ins):
    """Make a stack of the stand-ins; whatever it started is ended."""
    made = []

    def make(settings=None, **options):
        own = {"PYTHONPATH": str(stand_ins), **(settings or {})}
        stack = LocalStack(own_settings=own, models_dir=stand_ins / "models", **options)
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.stop()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_is_ready_when_it_says_so_and_leaves_nothing_behind(make):
    lines = []
    with make(write_log=lines.append) as stack:
        assert httpx.get(f"{stack.url}/readyz").is_success
        assert stack.grpc_target.startswith("unix:/")
        folder = Path(stack.grpc_target.removeprefix("unix:")).parent
        assert folder.stat().st_mode & 0o077 == 0
        pids = [process.pid for process in stack.processes.values()]
    assert not any(map(alive, pids))
    assert not folder.exists()
    assert any("the others are there: True" in line for line in lines), "the gateway stops first"


def test_a_service_can_be_stopped_and_started_by_itself(make):
    with make() as stack:
        assert stack.processes["colorizer"].stop() == 0
        assert httpx.get(f"{stack.url}/readyz").status_code == 503
        stack.processes["colorizer"].start()
        stack.wait_ready()


def test_a_service_that_does_not_start_is_named_with_the_end_of_its_log(make):
    stack = make({"BREAK": "colorizer"})
    with pytest.raises(StartFailed, match=r"(?s)colorizer ended with exit code 1.*cannot start reason=no model"):
        stack.start()
    assert not any(process.running for process in stack.processes.values())


def test_waiting_for_readiness_has_an_end(make):
    stack = make({"NEVER": "1"}, start_limit_s=2)
    with pytest.raises(StartFailed, match=r"not ready in time(?s:.*)gateway: serving"):
        stack.start()


def test_a_port_in_use_is_told(make):
    with make() as first, pytest.raises(StartFailed, match="Address already in use"):
        make(port=int(first.url.rpartition(":")[2])).start()


def test_services_that_ignore_the_request_to_stop_are_killed_within_the_limit(make, monkeypatch):
    monkeypatch.setattr("climbmate_client.local.stack.STOP_LIMIT_S", 0.5)
    stack = make()
    stack.start()
    for process in stack.processes.values():
        process.send_signal(signal.SIGSTOP)
    before_s = time.monotonic()
    stack.stop()
    assert time.monotonic() - before_s < 5
    assert not any(process.running for process in stack.processes.values())


def test_a_service_that_dies_is_started_again(make):
    lines = []
    with make(write_log=lines.append) as stack:
        stop = threading.Event()
        watcher = threading.Thread(target=keep_running, args=(stack, stop))
        watcher.start()
        first = stack.processes["detector"].pid
        stack.processes["detector"].kill()
        end_s = time.monotonic() + 10
        while stack.processes["detector"].pid == first and time.monotonic() < end_s:
            time.sleep(0.02)
        stop.set()
        watcher.join()
        assert stack.processes["detector"].pid != first
        stack.wait_ready()
    assert any("detector was killed by signal 9; it starts again in" in line for line in lines)


def up(stand_ins, *, environ=(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options):
    """`climbmate up` as a process of its own, until it tells its address."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("climbmate"), "up", "--port", "0"],
        env={
            **os.environ,
            "PYTHONPATH": str(stand_ins),
            "MODELS_DIR": str(stand_ins / "models"),
            "PYTHONUNBUFFERED": "1",
            **dict(environ),
        },
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=True,
        **options,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_up_serves_until_it_is_interrupted_and_ends_well(stand_ins, number):
    with up(stand_ins) as process:
        url = next(line.split()[-1] for line in process.stdout if "is ready at" in line)
        assert httpx.get(f"{url}/readyz").is_success
        before_s = time.monotonic()
        process.send_signal(number)
        output = process.stdout.read()
        assert process.wait(10) == 0
    assert time.monotonic() - before_s < 10
    assert "Traceback" not in output
    assert "all services are stopped" in output
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def left_of(stand_ins):
    """The processes that run a stand-in."""
    sign = f"PYTHONPATH={stand_ins}\0".encode()
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and sign in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes())
    return [command for command in found if b"pytest" not in command]


@pytest.mark.parametrize("after_s", [0, 0.4, 0.8, 1.2, 2.5])
@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)])
def test_up_ends_well_by_two_signals_at_any_time_also_while_it_starts(stand_ins, until_it_listens, after_s, numbers):
    with up(stand_ins) as process:
        until_it_listens(process)
        time.sleep(after_s)
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.05)
        output = process.stdout.read()
        assert process.wait(15) in (0, 130), output
    assert "Traceback" not in output
    assert not left_of(stand_ins)


@pytest.mark.parametrize("told", ["full", "closed", "left"])
def test_up_whose_log_cannot_be_written_ends_with_one_line(stand_ins, told):
    reading, writing = os.pipe()
    os.close(reading)
    stdout = {"full": os.open("/dev/full", os.O_WRONLY), "closed": writing, "left": writing}[told]
    close = (lambda: os.close(1)) if told == "closed" else None
    with up(stand_ins, stdout=stdout, stderr=subprocess.PIPE, preexec_fn=close) as process:
        aside = process.stderr.read()
        assert process.wait(20) == 1
    expected = {
        "full": "Error: standard output: No space left on device\n",
        "closed": "Error: standard output is closed\n",
    }
    assert aside == expected.get(told, "")
    assert not left_of(stand_ins)


def test_nothing_is_left_when_the_command_is_killed(stand_ins):
    with up(stand_ins) as process:
        url = next(line.split()[-1] for line in process.stdout if "is ready at" in line)
        process.kill()
        end_s = time.monotonic() + 10
        while answers(url) and time.monotonic() < end_s:
            time.sleep(0.05)
        assert not answers(url)


def answers(url):
    try:
        return httpx.get(f"{url}/readyz").status_code in (200, 503)
    except httpx.TransportError:
        return False


def test_up_says_why_it_cannot(stand_ins):
    with up(stand_ins, environ={"BREAK": "detector"}) as process:
        output = process.stdout.read()
        assert process.wait(10) == 3
    assert "Error: detector ended with exit code 1." in output
    assert "Traceback" not in output


def test_without_models_it_says_what_to_set(stand_ins, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    monkeypatch.setattr("climbmate_client.settings._HERE", Path("/nowhere"))
    monkeypatch.delenv("MODELS_DIR", raising=False)
    with pytest.raises(StartFailed, match="MODELS_DIR"):
        LocalStack().start()


def test_without_the_services_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "gateway", None)
    with pytest.raises(StartFailed, match=r"No gateway is installed here\. Name a running gateway with --url\."):
        LocalStack().start()


@pytest.mark.skipif(not MemoryCgroup.available(), reason="optional: needs root and writable memory cgroups")
def test_a_service_can_be_given_a_real_memory_limit(make):
    stack = make(memory_limits_bytes={"detector": 64_000_000})
    stack.start()
    folder = stack.cgroups["detector"].folder
    members = (folder / "cgroup.procs").read_text().split()
    assert str(stack.processes["detector"].pid) in members
    assert str(stack.processes["gateway"].pid) not in members
    assert 0 < stack.cgroups["detector"].peak_bytes <= 64_000_000
    stack.stop()
    assert not folder.exists()
