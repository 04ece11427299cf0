"""Judges what came back on a connection."""

import re

import msgspec
from gateway.web.failures import STATUS, FailureAnswer

_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n((?:[!-9;-~]+: [^\r\n]*\r\n)*)\r\n")


class Fault(Exception):
    """An answer that must not be."""


def judge(answer: bytes, *, whole: bool) -> int:
    """Read all answers; `whole` is whether they came to their end.

    Returns:
        How many there are, interim ones left out.

    Raises:
        Fault: One is malformed, untyped, cut off, or tells of a bug.
    """
    count = 0
    while answer:
        head = _HEAD.match(answer)
        if head is None:
            if whole:
                raise Fault("what came is no HTTP")
            return count
        status, headers = int(head[1]), _headers(head[2])
        answer = answer[head.end() :]
        if status == 100:
            continue
        body, answer = _body(status, headers, answer)
        if body is None:
            if whole:
                raise Fault("an answer is cut off")
            return count
        count += 1
        _check(status, headers, body)
    return count


def _headers(lines: bytes) -> dict[str, str]:
    pairs = (line.split(": ", 1) for line in lines.decode("latin-1").split("\r\n") if line)
    return {name.lower(): value for name, value in pairs}


def _body(status: int, headers: dict[str, str], rest: bytes) -> tuple[bytes | None, bytes]:
    """The body and what is behind it; no body when it is not all there."""
    if status in (204, 304) or rest.startswith(b"HTTP/1.1 "):  # also of an answer to HEAD
        return b"", rest
    if headers.get("transfer-encoding") == "chunked":
        return _unchunked(rest)
    if "content-length" not in headers:
        return rest, b""  # until the end, for HTTP/1.0
    length = int(headers["content-length"])
    if not rest and length:
        return b"", b""  # an answer to HEAD
    return (rest[:length], rest[length:]) if len(rest) >= length else (None, rest)


def _unchunked(rest: bytes) -> tuple[bytes | None, bytes]:
    body = b""
    while line := re.match(rb"([0-9a-fA-F]+)\r\n", rest):
        size = int(line[1], 16)
        piece, rest = rest[line.end() : line.end() + size], rest[line.end() + size :]
        if len(piece) < size or not rest.startswith(b"\r\n"):
            return None, rest
        body, rest = body + piece, rest[2:]
        if size == 0:
            return body, rest
    return None, rest


def _check(status: int, headers: dict[str, str], body: bytes) -> None:
    if not headers.get("x-request-id") or headers.get("x-content-type-options") != "nosniff":
        raise Fault(f"a {status} without a request id or the security headers")
    if status == 500:
        raise Fault("a bug")
    if status < 400 or not body or (status == 503 and b'"services"' in body):  # the last is a report of health
        return
    try:
        error = msgspec.json.decode(body, type=FailureAnswer).error
    except msgspec.DecodeError:
        raise Fault(f"an untyped {status}") from None
    if STATUS.get(error.code) != status or error.request_id != headers["x-request-id"]:
        raise Fault(f"a {status} that says {error.code} to {error.request_id}")
