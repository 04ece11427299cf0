"""A gRPC client that takes one byte a second of its answer: as much HTTP/2 as that needs, by hand."""

import asyncio
import struct

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _WINDOW_UPDATE = 0x0, 0x1, 0x3, 0x4, 0x8
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1
_INITIAL_WINDOW = 0x4
_CALL = 1
_LARGEST_FRAME = 16_384


async def read_slowly(target: str, method: str, message: bytes, *, timeout_s: int, every_s: float = 1.0) -> str:
    """Make one unary call and read its answer byte by byte.

    Args:
        target: `unix:/path` or `host:port`.
        method: Its full name, for example `/climbmate.detector.v1.DetectorService/DetectHolds`.
        message: The request; at most 60 kB, what a server takes without having said so.
        timeout_s: The deadline that is told to the server.
        every_s: The pause after each byte.

    Returns:
        How the call ended: `reset` or `ended` by the server, `closed` with the connection.
    """
    reader, writer = await _connected(target)
    try:
        writer.write(_PREFACE + _frame(_SETTINGS, 0, 0, struct.pack(">HI", _INITIAL_WINDOW, 1)))
        writer.write(_frame(_HEADERS, _END_HEADERS, _CALL, _headers(method, timeout_s)) + _body(message))
        return await _ended(reader, writer, every_s)
    finally:
        writer.close()


async def _connected(target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if target.startswith("unix:"):
        return await asyncio.open_unix_connection(target.removeprefix("unix:"))
    host, _, port = target.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, every_s: float) -> str:
    try:
        while True:
            head = await reader.readexactly(9)
            length, kind, flags, stream = int.from_bytes(head[:3]), *struct.unpack(">BBI", head[3:])
            await reader.readexactly(length)
            if kind == _SETTINGS and not flags & _ACK:
                writer.write(_frame(_SETTINGS, _ACK, 0, b""))
            if stream == _CALL and (kind == _RST_STREAM or flags & _END_STREAM):
                return "reset" if kind == _RST_STREAM else "ended"
            if stream == _CALL and kind == _DATA:
                await asyncio.sleep(every_s)
                writer.write(_frame(_WINDOW_UPDATE, 0, _CALL, struct.pack(">I", max(1, length))))
    except (asyncio.IncompleteReadError, ConnectionError):
        return "closed"


def _headers(method: str, timeout_s: int) -> bytes:
    """HPACK literals and entries of its static table (RFC 7541, appendix A)."""
    named = {b"content-type": b"application/grpc", b"te": b"trailers", b"grpc-timeout": b"%dS" % timeout_s}
    pairs = b"".join(b"\x00" + _text(name) + _text(value) for name, value in named.items())
    return b"\x83\x86\x04" + _text(method.encode()) + b"\x01" + _text(b"localhost") + pairs


def _body(message: bytes) -> bytes:
    """The message after gRPC's length prefix, in frames of the size that every server takes."""
    data = b"\x00" + struct.pack(">I", len(message)) + message
    parts = [data[start : start + _LARGEST_FRAME] for start in range(0, len(data), _LARGEST_FRAME)]
    last = len(parts) - 1
    return b"".join(_frame(_DATA, _END_STREAM if i == last else 0, _CALL, part) for i, part in enumerate(parts))


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + struct.pack(">BBI", kind, flags, stream) + payload


def _text(value: bytes) -> bytes:
    """An HPACK string without Huffman coding, at most 126 bytes."""
    return bytes([len(value)]) + value
