"""What one connection, or some, can do to the gateway's memory within its limit, before and beside any request."""

import contextlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from climbmate_client.local.cgroup import MemoryCgroup

from bench.fuzz_http.__main__ import MAX_GROWTH_BYTES, table
from bench.fuzz_http.run import fuzz
from tests.load.test_gateway_memory import limited  # noqa: F401 - a fixture

needs_limit = pytest.mark.skipif(not MemoryCgroup.available(), reason="needs root, for a memory limit")

HOST = b"Host: x\r\n"
POST = b"POST /api/analyze HTTP/1.1\r\n" + HOST + b"Content-Type: image/jpeg\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n4\r\n\xff\xd8\xff\xe0\r\n"
PLANS = {
    "headers": (POST, b"a:b\r\n" * 20_000, b"HTTP/1.1 431 ", b"HEADERS_TOO_LARGE"),
    "one header": (POST + b"A: ", b"b" * 100_000, b"HTTP/1.1 431 ", b"HEADERS_TOO_LARGE"),
    "a URL": (b"GET /", b"a" * 100_000, b"HTTP/1.1 414 ", b"URI_TOO_LONG"),
    "trailers": (CHUNKED + b"0\r\n", b"a:b\r\n" * 20_000, b"HTTP/1.1 431 ", b"HEADERS_TOO_LARGE"),
    "a chunk's extension": (CHUNKED + b"1;", b"a" * 100_000, b"HTTP/1.1 431 ", b"HEADERS_TOO_LARGE"),
}
REQUESTS = (b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n") * 2_000
MOST_BYTES, MOST_S = 20_000_000, 9.0
AT_ONCE = 8


def flood(port, first, piece, *, reads=True):
    """Send as much as is taken; what came back, and whether the gateway has closed."""
    answer, closed = bytearray(), False
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:

        def read():
            nonlocal closed
            with contextlib.suppress(OSError):
                while got := connection.recv(65536):
                    answer.extend(got)
            closed = True

        reader = threading.Thread(target=read)
        if reads:
            reader.start()
        sent_bytes, end_s = 0, time.monotonic() + MOST_S
        with contextlib.suppress(OSError):
            connection.sendall(first)
            while sent_bytes < MOST_BYTES and time.monotonic() < end_s:
                connection.sendall(piece)
                sent_bytes += len(piece)
        if reads:
            reader.join(5)
    return bytes(answer), closed


@needs_limit
@pytest.mark.parametrize(("first", "piece", "status", "code"), PLANS.values(), ids=PLANS.keys())
def test_what_does_not_end_is_told_so_closed_and_not_kept(limited, first, piece, status, code):  # noqa: F811
    cgroup, client, _ = limited
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda _: flood(client.base_url.port, first, piece), range(AT_ONCE)))
    for answer, closed in ends:
        assert answer.startswith(status)
        assert code in answer
        assert closed
    assert cgroup.oom_kills == 0
    assert client.get("/livez").is_success


@needs_limit
def test_requests_whose_answers_are_not_read_are_not_read_either(limited):  # noqa: F811
    cgroup, client, _ = limited
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: flood(client.base_url.port, b"", REQUESTS, reads=False), range(AT_ONCE)))
    assert cgroup.oom_kills == 0
    assert client.get("/livez").is_success


@needs_limit
def test_as_many_unfinished_heads_as_there_may_be_connections(limited):  # noqa: F811
    cgroup, client, _ = limited
    with contextlib.ExitStack() as open_:
        for _ in range(500):
            connection = open_.enter_context(socket.create_connection(("127.0.0.1", client.base_url.port), timeout=5))
            connection.sendall(POST + b"A: " + b"b" * 23_000)
        assert client.get("/livez").is_success
    assert cgroup.oom_kills == 0


@pytest.mark.timeout(240)
def test_thirty_seconds_of_hostile_bytes_are_answered_typed_in_time_and_leave_no_memory():
    result = fuzz(seed=12, connections=100_000, seconds=30)
    assert not result.faults, "\n".join(result.faults[:5])
    assert result.connections > 1000, table(result, 30)
    assert sum(result.answers.values()) > 1000, table(result, 30)
    assert result.growth_bytes < MAX_GROWTH_BYTES, table(result, 30)
