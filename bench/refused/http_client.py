"""Sends requests as bytes over a few connections that are kept alive, and counts what they are answered with."""

import asyncio
from collections import Counter
from collections.abc import Iterator

from bench.refused.kinds import Kind

CLIENTS = 8


async def send_all(port: int, kind: Kind, numbers: range) -> Counter[int]:
    """Send the requests of a kind with these numbers to the gateway at a port of this machine.

    Returns:
        How many were answered with each status.
    """
    statuses: Counter[int] = Counter()
    left = iter(numbers)
    await asyncio.gather(*(_client(port, kind, left, statuses) for _ in range(CLIENTS)))
    return statuses


async def _client(port: int, kind: Kind, numbers: Iterator[int], statuses: Counter[int]) -> None:
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    for number in numbers:
        if connection is None:
            connection = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = connection
        writer.write(kind.request(number))
        status, stays = await _answer(reader, to_its_end=not kind.leaves)
        statuses[status] += 1
        if not stays:
            writer.close()
            connection = None
    if connection is not None:
        connection[1].close()


async def _answer(reader: asyncio.StreamReader, *, to_its_end: bool) -> tuple[int, bool]:
    """Read one answer: its status, and whether the connection may be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    lines = head.split("\r\n")
    status = int(lines[0].split()[1])
    if not to_its_end:
        return status, False
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    else:
        await reader.readexactly(int(headers.get("content-length", 0)))
    return status, headers.get("connection") != "close"
