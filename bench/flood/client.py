"""A client of few instructions, so that a flood of them leaves the CPUs to the services: HTTP/1.1 by hand."""

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass

from bench.flood.mix import Upload

LEFT, LATE, BROKEN, CLOSED = "left", "late", "broken off", "closed"
KEY = "flood"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_CODE = re.compile(rb'"code":"([A-Z_]+)"')
_RETRY_AFTER = re.compile(rb"\r\nretry-after: (\d+)", re.IGNORECASE)
_DEGRADED = re.compile(rb'"degraded":\["')
_HOLDS = re.compile(rb'"id":\d+,"kind"')
_GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request ended.

    Attributes:
        name: The upload's.
        status: HTTP status, or `LEFT` (by its own will), `LATE` (not there a second after the deadline), `BROKEN`
            (the connection ended without an answer) or `CLOSED` (so did one that deserves no answer).
        code: The error's code, empty for none.
        took_s: From the first byte sent to the last received.
        retry_after_s: What the answer asks for, 0 for nothing.
        holds: Holds in the answer.
        degraded: Whether the answer says that it lacks something.
    """

    name: str
    status: str
    code: str = ""
    took_s: float = 0.0
    retry_after_s: float = 0.0
    holds: int = 0
    degraded: bool = False


async def send(upload: Upload, host: str, port: int, *, deadline_s: float, leave_after_s: float = 0.3) -> Outcome:
    """Send one photo on a connection of its own and wait until one second after the deadline at most."""
    start_s = time.perf_counter()
    limit_s = leave_after_s if upload.leaves else deadline_s + _GRACE_S
    try:
        async with asyncio.timeout(limit_s):
            answer = await _exchange(_request(upload, host, deadline_s), host, port)
    except TimeoutError:
        return Outcome(upload.name, LEFT if upload.leaves else LATE, took_s=time.perf_counter() - start_s)
    except OSError:
        return Outcome(upload.name, BROKEN, took_s=time.perf_counter() - start_s)
    return _outcome(upload, answer, time.perf_counter() - start_s)


async def _exchange(request: list[bytes], host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        with contextlib.suppress(ConnectionError):  # it was refused before all was sent; the answer says why
            for part in request:
                writer.write(part)
                await writer.drain()
        return await reader.read(-1)
    finally:
        writer.close()


def _request(upload: Upload, host: str, deadline_s: float) -> list[bytes]:
    head = (
        f"POST /api/analyze{upload.query} HTTP/1.1\r\nhost: {host}\r\ncontent-type: image/jpeg\r\n"
        f"cache-control: no-cache\r\nauthorization: Bearer {KEY}\r\n"
        f"content-length: {len(upload.photo)}\r\nx-request-deadline-ms: {deadline_s * 1000:.0f}\r\n"
        "connection: close\r\n\r\n"
    )
    return [head.encode(), upload.photo]


def _outcome(upload: Upload, answer: bytes, took_s: float) -> Outcome:
    status = _STATUS.match(answer)
    if status is None:
        return Outcome(upload.name, BROKEN, took_s=took_s)
    code, retry = _CODE.search(answer), _RETRY_AFTER.search(answer)
    return Outcome(
        name=upload.name,
        status=status[1].decode(),
        code=code[1].decode() if code else "",
        took_s=took_s,
        retry_after_s=float(retry[1]) if retry else 0.0,
        holds=len(_HOLDS.findall(answer)),
        degraded=_DEGRADED.search(answer) is not None,
    )
