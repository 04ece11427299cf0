"""Raw connections to the gateway: heads that no client of ours sends, and what is sent on regardless of answers."""

import contextlib
import gzip
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.field.rows import Refused, Row

KIND = "connection"
_ANSWER_LIMIT_S = 5.0
_SEND_LIMIT_S = 3.0
_RECEIVED_BYTES = 1 << 20
_HOST = b"Host: x\r\n"
_POST = b"POST /api/analyze HTTP/1.1\r\n" + _HOST
_JPEG = b"Content-Type: image/jpeg\r\n"
_CLOSE = b"Connection: close\r\n"
_TOO_LONG = Refused((414, 431, 400))
_MALFORMED = Refused((400, 405, 501))


@dataclass(frozen=True, slots=True)
class Exchange:
    """Bytes to send, and what is right to come back.

    Attributes:
        name: What it is.
        sent: The bytes.
        right: A status of success, or the refusal.
        half_closed: Whether the sender says that nothing follows.
    """

    name: str
    sent: bytes
    right: int | Refused
    half_closed: bool = False


@dataclass(frozen=True, slots=True)
class Torrent:
    """What is sent on and on without reading: first once, then a piece until `most_bytes`."""

    name: str
    first: bytes
    piece: bytes
    most_bytes: int = 20_000_000


def exchanges() -> list[Exchange]:
    """Requests that each get one answer."""
    packed = gzip.compress(b"\xff\xd8\xff\xe0 no photo")
    return [
        Exchange("GET, then half-closed", b"GET /api/palette HTTP/1.1\r\n" + _HOST + b"\r\n", 200, half_closed=True),
        Exchange("HTTP/1.0, half-closed", b"GET /livez HTTP/1.0\r\n\r\n", 200, half_closed=True),
        Exchange("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", _MALFORMED),
        Exchange("path in raw UTF-8", "GET /벽 HTTP/1.1\r\nHost: x\r\n\r\n".encode(), Refused((400, 404))),
        Exchange("URL of 200 KB", b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n", _TOO_LONG),
        Exchange("unknown method", b"BREW /api/analyze HTTP/1.1\r\n" + _HOST + b"\r\n", _MALFORMED),
        Exchange("two lengths", _POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", Refused((400,))),
        Exchange("a length that is none", _POST + b"Content-Length: -1\r\n\r\n", Refused((400,))),
        Exchange(
            "length and chunks", _POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", Refused((400,))
        ),
        Exchange("a chunk's size that is none", _POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", Refused((400,))),
        Exchange("a header without a colon", b"GET /livez HTTP/1.1\r\n" + _HOST + b"nothing\r\n\r\n", Refused((400,))),
        Exchange(
            "a header of 200 KB", b"GET /livez HTTP/1.1\r\n" + _HOST + b"a:" + b"b" * 200_000 + b"\r\n\r\n", _TOO_LONG
        ),
        Exchange("10,000 headers", b"GET /livez HTTP/1.1\r\n" + _HOST + b"a:b\r\n" * 10_000 + b"\r\n", _TOO_LONG),
        Exchange("a version to come", b"GET /livez HTTP/9.9\r\n" + _HOST + b"\r\n", Refused((400, 505))),
        Exchange(
            "refused preflight",
            b"OPTIONS /api/analyze HTTP/1.1\r\nOrigin: https://x.example\r\nAccess-Control-Request-Method: POST\r\n"
            + _HOST
            + _CLOSE
            + b"\r\n",
            Refused((400, 403, 405)),
        ),
        Exchange(
            "body in gzip",
            _POST + _JPEG + _CLOSE + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed,
            Refused((415,), names="gzip"),
        ),
        Exchange(
            "a parameter twice",
            b"POST /api/analyze?max_holds=3&max_holds=5 HTTP/1.1\r\n"
            + _HOST
            + _JPEG
            + _CLOSE
            + b"Content-Length: 2\r\n\r\n\xff\xd8",
            Refused((422,), ("INVALID_PARAMETER",), "max_holds"),
        ),
        Exchange(
            "correction as text/plain",
            b"POST /api/feedback HTTP/1.1\r\n"
            + _HOST
            + _CLOSE
            + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
            Refused((415,)),
        ),
    ]


def torrents() -> list[Torrent]:
    """Senders that have to be stopped."""
    get = b"GET /livez HTTP/1.1\r\n" + _HOST
    chunked = _POST + _JPEG + b"Transfer-Encoding: chunked\r\n\r\n"
    return [
        Torrent("names of headers", _POST, b"".join(b"n%d:\r\n" % n for n in range(20_000))),
        Torrent("values of headers", _POST, b"a: " + b"v" * 60_000 + b"\r\n"),
        Torrent("one header's value", get + b"a: ", b"v" * 60_000),
        Torrent("a URL", b"GET /", b"u" * 60_000),
        Torrent("a method", b"", b"M" * 60_000),
        Torrent("trailers", chunked + b"1\r\nx\r\n0\r\n", b"t:v\r\n" * 20_000),
        Torrent("a chunk's extension", chunked + b"1;", b"e" * 60_000),
        Torrent("empty lines", b"", b"\r\n" * 30_000),
        Torrent("requests for metrics, unread", b"", (b"GET /metrics HTTP/1.1\r\n" + _HOST + b"\r\n") * 1_000),
        Torrent("requests that do not parse", b"", b"NONSENSE\r\n\r\n" * 5_000),
        Torrent("posts of no photo, unread", b"", (_POST + _JPEG + b"Content-Length: 2\r\n\r\n\xff\xd8") * 1_000),
    ]


def exchanged(url: str, each: Exchange) -> Row:
    """Send one request and judge its answer."""
    with _connected(url) as connection:
        with contextlib.suppress(OSError):  # it may be refused before all was sent
            connection.sendall(each.sent)
            if each.half_closed:
                connection.shutdown(socket.SHUT_WR)
        status, body = _answer(connection)
    if isinstance(each.right, Refused):
        return each.right.judged(KIND, each.name, status, body)
    return Row(KIND, each.name, str(each.right), str(status or "no answer"), status == each.right)


def pour(url: str, torrent: Torrent) -> int:
    """Send until the gateway takes no more; gives the bytes that it took."""
    taken, end_s = 0, time.monotonic() + _SEND_LIMIT_S
    with contextlib.suppress(OSError), _connected(url) as connection:
        connection.settimeout(1.0)
        connection.sendall(torrent.first)
        while taken < torrent.most_bytes and time.monotonic() < end_s:
            taken += connection.send(torrent.piece)
    return taken


def wire_plans(shared: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """The plans of SHARED's wire.py, with the command for each but for the port."""
    script = shared / "field" / "wire.py"
    for plan in ("headers", "pipe", "halfclose"):
        yield plan, (sys.executable, str(script), "{port}", plan)


def run_wire(url: str, command: Sequence[str]) -> str:
    """Run a plan; gives what it prints."""
    port = str(urlsplit(url).port)
    words = [word.format(port=port) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - as listed
    return done.stdout.strip()


def _connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=_ANSWER_LIMIT_S)


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the first answer; 0 for none."""
    received, end_s = b"", time.monotonic() + _ANSWER_LIMIT_S
    with contextlib.suppress(OSError):
        while not _is_whole(received) and time.monotonic() < end_s:
            part = connection.recv(_RECEIVED_BYTES)
            if not part:
                break
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    words = head.split(maxsplit=2)
    return (int(words[1]), body) if len(words) > 1 and words[1].isdigit() else (0, received)


def _is_whole(received: bytes) -> bool:
    head, found, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(found) and bool(lengths) and len(body) >= int(lengths[0])
