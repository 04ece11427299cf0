"""What the head of a request may be: how long, which version; and what to tell of one that is none."""

import h11
from servicekit.errors import HeadersTooLarge, InvalidRequest, ServiceError, UriTooLong
from starlette.types import Scope

MAX_HEAD_BYTES = 24 * 1024
"""A request line with its headers; the same bound holds for a chunk's line and for the trailers."""
MAX_TARGET_BYTES = 16 * 1024  # a palette of 64 colors in words takes 15 KiB
_MAX_HEADERS = 100
_VERSIONS = ("1.0", "1.1")
_ABSOLUTE = (b"http://", b"https://")


def refusal(scope: Scope) -> ServiceError | None:
    """What is wrong with a head that parses; None when nothing is."""
    if scope["http_version"] not in _VERSIONS:
        return InvalidRequest("The version is neither HTTP/1.0 nor HTTP/1.1.")
    names = [name for name, _ in scope["headers"]]
    if b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0"):
        return InvalidRequest("The length of the body is in doubt.")  # another server may differ (RFC 9112, 6.1)
    target_bytes = len(scope["raw_path"]) + len(scope["query_string"])
    if target_bytes > MAX_TARGET_BYTES:
        return _too_long()
    headers_bytes = sum(len(name) + len(value) for name, value in scope["headers"])
    if len(scope["headers"]) > _MAX_HEADERS or target_bytes + headers_bytes > MAX_HEAD_BYTES:
        return _too_large()
    return None


def misread(error: h11.RemoteProtocolError, buffered: bytes, *, in_head: bool) -> ServiceError:
    """What to tell a caller whose bytes the parser gave up on; `buffered` are those that it had not used."""
    if error.error_status_hint != 431:  # the parser's hint at what is too long
        return InvalidRequest("The head is malformed." if in_head else "The body is malformed.")
    line, _, _ = buffered.partition(b"\n")
    return _too_long() if in_head and len(line) > MAX_TARGET_BYTES else _too_large()


def to_origin_form(scope: Scope) -> None:
    """Take the path out of a target that is a whole URL, which a server has to accept (RFC 9112, 3.2.2)."""
    if scope["raw_path"].lower().startswith(_ABSOLUTE):
        scope["raw_path"] = b"/" + scope["raw_path"].partition(b"://")[2].partition(b"/")[2]
        scope["path"] = "/" + scope["path"].partition("://")[2].partition("/")[2]


def _too_long() -> UriTooLong:
    return UriTooLong("The address is too long.", details={"limit_bytes": str(MAX_TARGET_BYTES)})


def _too_large() -> HeadersTooLarge:
    limits = {"limit_bytes": str(MAX_HEAD_BYTES), "limit_headers": str(_MAX_HEADERS)}
    return HeadersTooLarge("The headers are too many or too long.", details=limits)
