"""Who holds memory, over HTTP, for administrators: with `DEBUG_MEMORY=1`, and on the loopback address only.

Whoever may run commands in the container, or forward a port into it, may ask; nobody else can reach it. What it tells
are lines of code and sizes, never contents.

    curl 127.0.0.1:9199/top              the lines that hold the most
    curl 127.0.0.1:9199/growth           what has grown since the last time that this was asked
    curl 127.0.0.1:9199/memray?seconds=10 -o memray.bin    every allocation meanwhile, where memray is installed
"""

import contextlib
import importlib
import importlib.util
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from servicekit.memory_kit import MemoryKit

_HOST = "127.0.0.1"
_LONGEST_S = 60.0
_POLL_S = 0.1


@contextlib.contextmanager
def serving(kit: MemoryKit, port: int) -> Iterator[None]:
    """Serve on loopback while the body runs, in a thread of its own; nowhere when the kit is off or the port is 0.

    Raises:
        OSError: The port cannot be used.
    """
    if not kit.enabled or not port:
        yield
        return
    with ThreadingHTTPServer((_HOST, port), _handler(kit)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _handler(kit: MemoryKit) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer one question."""
            asked = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(asked.query).items()}
            try:
                status, kind, body = _answer(kit, asked.path, query)
            except ValueError:
                status, kind, body = 400, "text/plain", b"A number is wrong.\n"
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay out of the service's log."""

    return Handler


def _answer(kit: MemoryKit, path: str, query: dict[str, str]) -> tuple[int, str, bytes]:
    if path in ("/top", "/growth"):
        count = int(query.get("count", "10"))
        holders = kit.top(count) if path == "/top" else kit.growth(count)
        if path == "/growth":
            kit.mark()
        told = {"used_bytes": kit.used_bytes(), "holders": [asdict(holder) for holder in holders]}
        return 200, "application/json", msgspec.json.encode(told)
    if path == "/memray":
        return _recorded(min(_LONGEST_S, float(query.get("seconds", "10"))))
    return 404, "text/plain", b"Ask for /top, /growth or /memray.\n"


def _recorded(seconds: float) -> tuple[int, str, bytes]:
    """Every allocation of the next seconds, as memray writes it down."""
    if importlib.util.find_spec("memray") is None:
        return 501, "text/plain", b"memray is not installed here: pip install memray\n"
    memray = importlib.import_module("memray")
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "memray.bin"
            with memray.Tracker(file):
                time.sleep(seconds)
            return 200, "application/octet-stream", file.read_bytes()
    except (OSError, RuntimeError) as error:  # no folder to write to, or somebody records already
        return 503, "text/plain", f"{error}\n".encode()
