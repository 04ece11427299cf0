"""What one connection sends: requests with mutations of structure and bytes, cut into pieces, and ended somehow."""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Ending = Literal["half-close", "wait", "close", "abort"]

_JPEG = b"\xff\xd8\xff\xe0"
_FORM = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + _JPEG + b"\r\n--b--\r\n"
_METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"PRI", b"get", b"G(T", b"")
_TARGETS = (
    *(b"/livez", b"/readyz", b"/api/palette", b"/api/health", b"/", b"/docs", b"/static/base.css", b"/metrics"),
    *(b"/api/jobs/x", b"/api/jobs/x/events", b"/api/analyze?max_holds=x", b"/api/nothing", b"/%00", b"/%2e%2e/%2f"),
    *(
        b"*",
        b"//livez",
        b"http://x/livez",
        b"x:443",
        b"/" + "벽".encode(),
        b"/\x00",
        b"/" + b"a" * 17_000,
        b"/a b",
        b"",
    ),
)
_VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/9.9", b"HTTP/1.11", b"http/1.1", b"")
_HEADERS = (
    *(b"Content-Length: 0", b"Content-Length: 4", b"Content-Length: -1", b"Content-Length: 99999999999999999999999"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding : chunked"),
    *(b"Expect: 100-continue", b"Connection: close", b"Connection: upgrade", b"Upgrade: websocket", b"TE: trailers"),
    *(b"Host: again", b" folded", b"no colon", b"A: \x00", b"A: \rb", b"A: " + b"b" * 30_000, b": b", b"A:"),
    *(b"X-Request-Id: " + b"i" * 5000, b"Accept-Encoding: br", b"If-None-Match: *", b"Prefer: respond-async"),
    *(b"Origin: https://evil.example", b"Access-Control-Request-Method: POST", b"Content-Encoding: gzip"),
    b"\r\n".join([b"a:b"] * 3000),
)
_CHUNK_LINES = (b"zz", b"-1", b"f" * 30, b"4;" + b"e" * 30_000, b"4 ", b"0x4", b"", b"0", b"5", b"\x00")
_SPECIAL = (b"\r\n", b"\n", b"\r", b"\x00", b"\r\n\r\n", b"0\r\n\r\n", b":", b" ", b"\t", b"\xff", b"HTTP/1.1", b"%")
_ENDINGS: tuple[Ending, ...] = ("half-close", "wait", "close", "abort")


@dataclass(frozen=True, slots=True)
class Case:
    """One connection: pieces with pauses before them, in seconds, and how it ends."""

    pieces: tuple[tuple[float, bytes], ...]
    ending: Ending

    @property
    def sent(self) -> bytes:
        """All that is sent."""
        return b"".join(piece for _, piece in self.pieces)


def case(seed: int, number: int) -> Case:
    """The same case for the same numbers, always."""
    dice = random.Random(f"{seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
    count = dice.choices((1, 2, 5, 40), (70, 20, 8, 2))[0]
    sent = b"".join(_request(dice) for _ in range(count))
    for _ in range(dice.choices((0, 1, 3, 10), (40, 30, 20, 10))[0]):
        sent = dice.choice(_MUTATIONS)(dice, sent)
    ending = dice.choices(_ENDINGS, (85, 3, 6, 6))[0]
    return Case(tuple(_pieces(dice, sent)), ending)


def _request(dice: random.Random) -> bytes:
    """A request that is right, or wrong in its structure."""
    method, target, version, body = b"GET", dice.choice(_TARGETS[:10]), b"HTTP/1.1", b""
    headers = [b"Host: gateway"]
    if dice.random() < 0.5:
        method = b"POST"
        target = dice.choice((b"/api/analyze", b"/api/analyze-stream", b"/api/analyze-batch", b"/api/feedback"))
        kind, body = dice.choice(
            ((b"image/jpeg", _JPEG), (b"multipart/form-data; boundary=b", _FORM), (b"text/x", b"x"))
        )
        headers.append(b"Content-Type: " + kind)
        if dice.random() < 0.5:
            headers.append(b"Transfer-Encoding: chunked")
            body = _chunked(dice, body)
        else:
            headers.append(b"Content-Length: %d" % (len(body) + dice.choice((0, 0, 0, 0, -1, 1, 10_000))))
    if dice.random() < 0.3:
        method, target, version = dice.choice(
            (
                (dice.choice(_METHODS), target, version),
                (method, dice.choice(_TARGETS), version),
                (method, target, dice.choice(_VERSIONS)),
            )
        )
    if dice.random() < 0.3:
        headers.insert(dice.randrange(len(headers) + 1), dice.choice(_HEADERS))
    return b"\r\n".join((b" ".join((method, target, version)), *headers, b"", body))


def _chunked(dice: random.Random, body: bytes) -> bytes:
    size = dice.choice((1, 4, 1000))
    lines = [b"%x\r\n%s" % (len(body[at : at + size]), body[at : at + size]) for at in range(0, len(body), size)]
    if dice.random() < 0.2:
        lines.insert(dice.randrange(len(lines) + 1), dice.choice(_CHUNK_LINES) + b"\r\n" + _JPEG)
    trailers = dice.choices((b"", b"A: b\r\n", b"a:b\r\n" * 8000, b"wrong\r\n"), (80, 10, 5, 5))[0]
    return b"\r\n".join((*lines, b"0", trailers + b"\r\n"))


def _flip(dice: random.Random, sent: bytes) -> bytes:
    at = dice.randrange(len(sent) + 1)
    return sent[:at] + bytes([dice.randrange(256)]) + sent[at + 1 :]


def _insert(dice: random.Random, sent: bytes) -> bytes:
    at = dice.randrange(len(sent) + 1)
    return sent[:at] + dice.choice(_SPECIAL) + sent[at:]


def _delete(dice: random.Random, sent: bytes) -> bytes:
    at = dice.randrange(len(sent) + 1)
    return sent[:at] + sent[at + dice.choice((1, 2, 10, 100)) :]


def _repeat(dice: random.Random, sent: bytes) -> bytes:
    at = dice.randrange(len(sent) + 1)
    return sent[:at] + sent[at : at + dice.choice((1, 10, 100))] * dice.choice((2, 10, 300)) + sent[at:]


def _cut(dice: random.Random, sent: bytes) -> bytes:
    return sent[: dice.randrange(len(sent) + 1)]


_MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (_flip, _insert, _delete, _repeat, _cut)


def _pieces(dice: random.Random, sent: bytes) -> list[tuple[float, bytes]]:
    """Mostly one piece; else up to eight, some of them a moment later."""
    if dice.random() < 0.7:
        return [(0.0, sent)]
    cuts = sorted(dice.randrange(len(sent) + 1) for _ in range(dice.randrange(1, 8)))
    edges = [0, *cuts, len(sent)]
    return [(dice.choice((0.0, 0.001, 0.02)), sent[begin:end]) for begin, end in itertools.pairwise(edges)]
