"""Ask a service for its gRPC health once: `python -m servicekit.probe ADDRESS` exits with 0 when it serves, else 1.

For health checks that run as a process inside the container, as compose does it. Such a process counts against the
container's memory limit, so it speaks the little HTTP/2 that one call takes instead of importing grpcio, which would
take three times the memory and the CPU (Kubernetes has gRPC probes of its own and needs none of this).
"""

import contextlib
import socket
import struct
import sys
from collections.abc import Iterator

TIMEOUT_S = 3.0
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x7
_END_STREAM, _END_HEADERS = 0x1, 0x4
_CALL = 1  # the stream of the only call
_EMPTY_MESSAGE = bytes(5)  # a HealthCheckRequest for the whole server, after gRPC's length prefix
_SERVING = b"\x00\x00\x00\x00\x02\x08\x01"  # length prefix, then a HealthCheckResponse with status SERVING


def serves(address: str, *, timeout_s: float = TIMEOUT_S) -> bool:
    """Tell whether the server at an address answers `grpc.health.v1.Health/Check` with SERVING.

    Args:
        address: `host:port` or `unix:/path`, as in the service's LISTEN setting.
        timeout_s: The longest wait for the connection, and for each answer on it.
    """
    with contextlib.suppress(OSError), _connect(address, timeout_s) as connection:
        connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, b"") + _request())
        return b"".join(_answer(connection)) == _SERVING
    return False


def _connect(address: str, timeout_s: float) -> socket.socket:
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout_s)
        connection.connect(address.removeprefix("unix:"))
        return connection
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout_s)


def _request() -> bytes:
    """One call as frames; the headers as HPACK literals and entries of its static table (RFC 7541, appendix A)."""
    headers = b"".join(
        (
            b"\x83",  # :method POST
            b"\x86",  # :scheme http
            b"\x04" + _text(b"/grpc.health.v1.Health/Check"),  # :path
            b"\x01" + _text(b"localhost"),  # :authority
            b"\x0f\x10" + _text(b"application/grpc"),  # content-type
            b"\x00" + _text(b"te") + _text(b"trailers"),
        )
    )
    return _frame(_HEADERS, _END_HEADERS, _CALL, headers) + _frame(_DATA, _END_STREAM, _CALL, _EMPTY_MESSAGE)


def _answer(connection: socket.socket) -> Iterator[bytes]:
    """The bytes of the call's answer, until the server has ended the call or the connection."""
    with connection.makefile("rb") as incoming:
        while len(head := incoming.read(9)) == 9:
            length, kind, flags, stream = int.from_bytes(head[:3]), *struct.unpack(">BBI", head[3:])
            payload = incoming.read(length)
            if kind == _DATA and stream == _CALL:
                yield payload
            if kind == _GOAWAY or (stream == _CALL and (kind == _RST_STREAM or flags & _END_STREAM)):
                return


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + struct.pack(">BBI", kind, flags, stream) + payload


def _text(value: bytes) -> bytes:
    """An HPACK string without Huffman coding, at most 126 bytes."""
    return bytes([len(value)]) + value


def main() -> int:
    """Probe the address given on the command line; the exit code."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m servicekit.probe ADDRESS\n")
        return 2
    return 0 if serves(sys.argv[1]) else 1


if __name__ == "__main__":
    sys.exit(main())
