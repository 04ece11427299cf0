"""Connections that no honest client opens, beside the photos of a flood."""

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.flood.client import BROKEN, CLOSED, KEY, LATE, Outcome

_HOST = b"Host: x\r\n"
_CLOSE = b"Connection: close\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_LIMIT_S = 20.0
_PAUSE_S = 0.2
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Hostile:
    """One kind of connection.

    Attributes:
        name: What the table calls it.
        first: What the n-th one of this kind sends first.
        piece: What it sends on, whatever comes back.
        pieces: How often.
        pace_s: The pause between two of them.
        half_closed: Whether it says that nothing follows.
        answered: Whether it has to get an answer; the others may just be closed.
    """

    name: str
    first: Callable[[int], bytes]
    piece: bytes = b""
    pieces: int = 0
    pace_s: float = 0.0
    half_closed: bool = False
    answered: bool = False


CONNECTIONS = (
    Hostile("connection: many headers", lambda _: b"POST /api/analyze HTTP/1.1\r\n" + _HOST, b"a:b\r\n" * 2_000, 400),
    Hostile("connection: a long URL", lambda _: b"GET /", b"u" * 10_000, 400),
    Hostile("connection: pipelined, unread", lambda _: b"", (b"GET /metrics HTTP/1.1\r\n" + _HOST + b"\r\n") * 20, 200),
    Hostile("connection: slow head", lambda _: b"GET /livez HTTP/1.1\r\n", b"a", 30, 0.5),
    Hostile(
        "connection: half-closed",
        lambda _: b"GET /api/palette HTTP/1.1\r\n" + _HOST + b"X-Api-Key: " + KEY.encode() + b"\r\n\r\n",
        half_closed=True,
        answered=True,
    ),
    Hostile(
        "connection: wrong key, another path",
        lambda n: b"GET /api/%d HTTP/1.1\r\nAuthorization: Bearer wrong-%d\r\n" % (n, n) + _HOST + _CLOSE + b"\r\n",
        answered=True,
    ),
)


async def besiege(url: str, end_s: float) -> list[Outcome]:
    """Open connections of every kind, one after the other of each, until the time of `time.perf_counter`."""
    ended = await asyncio.gather(*(_again_and_again(url, each, end_s) for each in CONNECTIONS))
    return list(itertools.chain.from_iterable(ended))


async def _again_and_again(url: str, each: Hostile, end_s: float) -> list[Outcome]:
    outcomes: list[Outcome] = []
    while time.perf_counter() < end_s:
        outcomes.append(await _once(url, each, len(outcomes)))
        await asyncio.sleep(_PAUSE_S)
    return outcomes


async def _once(url: str, each: Hostile, number: int) -> Outcome:
    parts, start_s = urlsplit(url), time.perf_counter()
    status = CLOSED
    try:
        async with asyncio.timeout(_LIMIT_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                status = await _talk(reader, writer, each, number)
            finally:
                writer.close()
    except TimeoutError:
        status = LATE
    except OSError:
        status = BROKEN if each.answered else CLOSED
    return Outcome(each.name, status, took_s=time.perf_counter() - start_s)


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, each: Hostile, number: int) -> str:
    """Send all of it, then read what came; gives the first answer's status."""
    with contextlib.suppress(ConnectionError):
        writer.write(each.first(number))
        for _ in range(each.pieces):
            writer.write(each.piece)
            await writer.drain()
            await asyncio.sleep(each.pace_s)
        if each.half_closed:
            writer.write_eof()
    answer = _STATUS.match(await reader.read(_READ_BYTES))
    if answer is None:
        return BROKEN if each.answered else CLOSED
    return answer[1].decode()
