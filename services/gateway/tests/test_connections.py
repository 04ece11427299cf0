"""Callers who take connections and give nothing for them: each is cut in time, and nobody else is harmed."""

import asyncio
import contextlib

import pytest
from gateway.web.pace import Pace, in_pace
from servicekit.errors import DeadlineExceeded

HEAD = b"POST /api/analyze HTTP/1.1\r\nHost: gateway\r\nContent-Type: image/jpeg\r\n"


@contextlib.asynccontextmanager
async def connected(gate, *, count=1):
    streams = [await asyncio.open_unix_connection(gate.http_path) for _ in range(count)]
    try:
        yield streams
    finally:
        for _, writer in streams:
            writer.close()


async def asked(gate, path):
    async with connected(gate) as [(reader, writer)]:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n".encode())
        return await asyncio.wait_for(reader.read(), 5)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /livez HTTP/1.1\r\nHost: g", b"GET /livez HTTP/1.1\r\nHost: g\r\n\r\nGET /"]
)
async def test_a_connection_without_a_complete_head_is_cut(open_gate, sent):
    gate = await open_gate(gateway_head_timeout_s=0.3)
    async with connected(gate) as [(reader, writer)]:
        writer.write(sent)
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 2)


async def test_a_kept_connection_outlives_the_time_for_a_head(open_gate):
    gate = await open_gate(gateway_head_timeout_s=0.2)
    async with connected(gate) as [(reader, writer)]:
        for _ in range(2):
            writer.write(b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
            assert head.startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(len(b'{"status":"alive"}'))
            await asyncio.sleep(0.4)


async def test_beyond_the_limit_of_connections_probes_are_answered_and_the_rest_is_told_to_come_back(open_gate):
    gate = await open_gate(gateway_max_connections=4)
    await gate.http.aclose()
    async with connected(gate, count=4):
        assert (await asked(gate, "/livez")).startswith(b"HTTP/1.1 200 ")
        assert (await asked(gate, "/readyz")).startswith(b"HTTP/1.1 200 ")
        refused = await asked(gate, "/api/palette")
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"OVERLOADED" in refused
        assert b"retry-after: 1" in refused
    await asyncio.sleep(0.1)
    assert (await asked(gate, "/api/palette")).startswith(b"HTTP/1.1 200 ")


async def test_an_end_to_what_is_kept_for_probes(open_gate):
    gate = await open_gate(gateway_max_connections=4)
    async with connected(gate, count=60) as streams:
        ends = [asyncio.create_task(reader.read()) for reader, _ in streams]
        done, open_ones = await asyncio.wait(ends, timeout=0.5)
        assert len(open_ones) <= 4 + 32
        await asyncio.gather(*done, return_exceptions=True)
        for task in open_ones:
            task.cancel()


async def test_a_caller_who_declares_a_photo_and_sends_nothing_holds_no_memory(open_gate):
    gate = await open_gate(inbox_bytes=2_000_000)
    async with connected(gate) as [(_, writer)]:
        writer.write(HEAD + b"Content-Length: 900000\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)
        response = await asyncio.wait_for(gate.analyze(b"\xff\xd8\xff" + bytes(900_000)), 2)
    assert response.status_code == 200


async def test_an_upload_that_stops_is_cut_after_its_grace_and_gives_its_memory_back(open_gate):
    gate = await open_gate(inbox_bytes=2_000_000, gateway_upload_grace_s=0.3)
    async with connected(gate) as [(reader, writer)]:
        writer.write(HEAD + b"Content-Length: 900000\r\n\r\n\xff\xd8\xff")
        await writer.drain()
        response = await asyncio.wait_for(gate.analyze(b"\xff\xd8\xff" + bytes(900_000)), 3)
        assert response.status_code == 200
        assert (await asyncio.wait_for(reader.read(), 1)).startswith(b"HTTP/1.1 504 ")


async def pieces_of(size_bytes, *, every_s, count):
    for _ in range(count):
        await asyncio.sleep(every_s)
        yield bytes(size_bytes)


@pytest.mark.parametrize(("size_bytes", "arrives"), [(400, True), (20, False)])
async def test_every_piece_buys_the_time_that_its_bytes_need(size_bytes, arrives):
    """Ten pieces, 50 ms apart, at no less than 2000 bytes a second."""
    pieces = in_pace(pieces_of(size_bytes, every_s=0.05, count=10), Pace(grace_s=0.2, bytes_per_s=2000))
    outcome = contextlib.nullcontext() if arrives else pytest.raises(DeadlineExceeded, match="2000 bytes a second")
    with outcome:
        assert sum([len(piece) async for piece in pieces]) == 10 * size_bytes


@pytest.mark.parametrize(("size_bytes", "bytes_per_s"), [(1_000, 16_384), (24_000_000, 200_000)])
def test_large_uploads_must_be_half_as_fast_as_their_deadline_asks(size_bytes, bytes_per_s):
    assert Pace.of(size_bytes, deadline_s=60, grace_s=5, min_bytes_per_s=16_384).bytes_per_s == bytes_per_s
