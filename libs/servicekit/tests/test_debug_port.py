import contextlib
import importlib.util
import socket

import httpx
import pytest
from servicekit import debug_port
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.memory_kit import MemoryKit


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextlib.contextmanager
def asked(port, *, enabled=True):
    kit = MemoryKit(MemoryMeter(MemoryLimit(0, None)), enabled=enabled)
    with (
        kit.running(),
        debug_port.serving(kit, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as http,
    ):
        yield http


def test_a_planted_leak_is_found_by_line_and_growth_counts_from_the_last_question(port):
    kept = []
    with asked(port) as http:
        http.get("/growth")
        kept.append(bytearray(3_000_000))
        (grown, *_) = http.get("/growth").json()["holders"]
        assert "test_debug_port.py" in grown["line"]
        assert grown["size_bytes"] >= 3_000_000
        top = http.get("/top?count=3").json()
        assert "test_debug_port.py" in top["holders"][0]["line"]
        assert top["used_bytes"] > 0
        assert not [each for each in http.get("/growth").json()["holders"] if each["size_bytes"] >= 3_000_000]


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/top?count=many", 400), ("/metrics", 404)])
def test_other_questions_are_refused(port, path, status):
    with asked(port) as http:
        assert http.get(path).status_code == status


def test_it_is_not_there_unless_memory_is_debugged(port):
    with asked(port, enabled=False) as http, pytest.raises(httpx.ConnectError):
        http.get("/top")


def test_it_is_for_administrators_only(port):
    with asked(port), socket.socket() as elsewhere:
        elsewhere.bind(("0.0.0.0", 0))
        others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for host in others - {"127.0.0.1"}:
            assert elsewhere.connect_ex((host, port)) != 0


def test_memray_records_what_is_allocated_meanwhile(port):
    with asked(port) as http:
        answer = http.get("/memray?seconds=0.2")
    if importlib.util.find_spec("memray") is None:
        assert answer.status_code == 501
    else:
        assert answer.status_code == 200
        assert len(answer.content) > 1000
