"""HTTP servers beside each other: what each costs, and what each bounds. `make bench-http-servers`.

All run the same small application in one process on one thread. Prints Markdown. The servers that are not the
product's are installed for this run only.
"""

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_APP = "bench.http_app:app"
_UVICORN = ("-m", "uvicorn", _APP, "--no-access-log", "--log-level", "critical", "--loop", "asyncio", "--port")
_SERVERS = {
    "uvicorn, h11": (*_UVICORN, "{port}", "--http", "h11"),
    "uvicorn, httptools": (*_UVICORN, "{port}", "--http", "httptools"),
    "hypercorn": ("-m", "hypercorn", _APP, "--log-level", "CRITICAL", "--bind", "127.0.0.1:{port}"),
    "granian": (
        *("-m", "granian", "--interface", "asgi", "--loop", "asyncio", "--no-log", "--no-ws"),
        *("--http", "1", "--host", "127.0.0.1", "--port", "{port}", _APP),
    ),
}
_ROUNDS, _IDLE, _UPLOADS = 3000, 400, 20
_UPLOAD = bytes(10_000_000)
_GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
_POST = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
_IDLERS = {
    "kept connection": (_GET + b"\r\n", b"ok"),
    "idle event stream": (b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n", b":\n\n"),
}
_FLOODS = {
    "a URL": (b"GET /", b"a" * 20_000),
    "headers": (_GET, b"a:b\r\n" * 4_000),
    "trailers": (_POST + b"0\r\n", b"a:b\r\n" * 4_000),
    "a chunk's extension": (_POST + b"1;", b"a" * 20_000),
    "requests, answers unread": (b"", (_GET + b"\r\n") * 800),
}
_FLOOD_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and all processes that are part of it."""

    pid: int
    port: int

    @property
    def pids(self) -> list[int]:
        """Its own and its children's, at any depth."""
        found = [self.pid]
        for pid in found:
            found += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return found

    def memory_bytes(self) -> int:
        """Resident memory of all of them."""
        status = "".join(Path(f"/proc/{pid}/status").read_text() for pid in self.pids)
        return sum(int(size) * 1024 for size in re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE))

    def cpu_s(self) -> float:
        """CPU time of all of them."""
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)


def main() -> None:
    """Measure all servers, and print a table."""
    columns = {name: _measured(command) for name, command in _SERVERS.items()}
    print(f"| | {' | '.join(columns)} |")
    print(f"|---|{'---:|' * len(columns)}")
    for row in next(iter(columns.values())):
        print(f"| {row} | {' | '.join(column[row] for column in columns.values())} |")


def _measured(command: tuple[str, ...]) -> dict[str, str]:
    with _running(command) as server:
        rows = _times(server) | _uploads(server)
    for name, (request, awaited) in _IDLERS.items():  # each at a fresh server, because memory seldom comes back
        with _running(command) as server:
            rows[f"{name}, kB"] = _idle_kb(server, request, awaited)
    for name, (begin, more) in _FLOODS.items():
        with _running(command) as server:
            rows[f"16 MB of {name}"] = _flooded(server, begin, more)
    return rows


def _times(server: Server) -> dict[str, str]:
    spent_ms = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)) as caller:
        for _ in range(_ROUNDS):
            start_s = time.perf_counter()
            caller.request("GET", "/")
            caller.getresponse().read()
            spent_ms.append((time.perf_counter() - start_s) * 1000)
    p50_ms, p99_ms = np.percentile(spent_ms, (50, 99))
    return {
        "tiny request, ms (p50, p99)": f"{p50_ms:.2f}, {p99_ms:.2f}",
        "requests a second on one connection": f"{_ROUNDS / sum(spent_ms) * 1000:.0f}",
    }


def _uploads(server: Server) -> dict[str, str]:
    before_s = server.cpu_s()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as caller:
        for _ in range(_UPLOADS):
            caller.request("POST", "/", _UPLOAD)
            caller.getresponse().read()
    return {"upload of 10 MB, CPU ms": f"{(server.cpu_s() - before_s) / _UPLOADS * 1000:.1f}"}


def _idle_kb(server: Server, request: bytes, awaited: bytes) -> str:
    before_bytes = server.memory_bytes()
    with contextlib.ExitStack() as open_:
        for _ in range(_IDLE):
            connection = open_.enter_context(server.connect())
            connection.sendall(request)
            told = b""
            while awaited not in told:
                told += connection.recv(4096)
        return f"{(server.memory_bytes() - before_bytes) / _IDLE / 1000:.1f}"


def _flooded(server: Server, begin: bytes, more: bytes) -> str:
    """What memory it takes, how much was taken before the connection was closed, and with which answer."""
    before_bytes, sent_bytes = server.memory_bytes(), 0
    peak_bytes, answer = before_bytes, b""
    with contextlib.closing(server.connect()) as connection:
        connection.settimeout(1)
        with contextlib.suppress(OSError):
            connection.sendall(begin)
            while sent_bytes < _FLOOD_BYTES:
                connection.sendall(more)
                sent_bytes += len(more)
                peak_bytes = max(peak_bytes, server.memory_bytes())
        time.sleep(0.3)
        peak_bytes = max(peak_bytes, server.memory_bytes())
        with contextlib.suppress(OSError):
            answer = connection.recv(65536)
    status = answer.split(b" ", 2)[1].decode() if answer.startswith(b"HTTP/") else "none"
    return f"+{(peak_bytes - before_bytes) / 1e6:.1f} MB, {status}"


@contextlib.contextmanager
def _running(command: tuple[str, ...]) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = [part.format(port=port) for part in command]
    with subprocess.Popen([sys.executable, *told], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - the commands above
        server = Server(process.pid, port)
        try:
            _until(lambda: server.connect().close())
            yield server
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def _until(works: Callable[[], object]) -> None:
    for _ in range(100):
        try:
            works()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")


if __name__ == "__main__":
    main()
