"""Every kind of request that strangers may send for nothing: each one of a kind differs from all others of it."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.instant_services import REFUSED

KEY = "refused-" + "k" * 32
"""The one key that the gateway knows."""
ORIGIN = "https://app.example"
"""The one origin that may call it."""
JPEG = b"\xff\xd8\xff\xe0"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request over HTTP.

    Attributes:
        name: What is wrong with it.
        request: The bytes of the request with that number.
        statuses: What it may be answered with.
        leaves: Whether the client goes away as soon as the answer begins.
        grpc_bytes: What gRPC is known to keep of each for good, on the gateway's way to the services.
    """

    name: str
    request: Callable[[int], bytes]
    statuses: tuple[int, ...]
    leaves: bool = False
    grpc_bytes: int = 0


def request(method: str, path: str, body: bytes = b"", *, key: str = KEY, **headers: str) -> bytes:
    """A request as bytes; `_` in a header's name stands for `-`."""
    lines = [f"{method} {path} HTTP/1.1", "host: gateway", *([f"authorization: Bearer {key}"] if key else [])]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}"] if body or method in ("POST", "PUT") else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def _photo(
    number: int, *, path: str = "/api/analyze", end: bytes = b"", content_type: str = "image/jpeg", **headers: str
) -> bytes:
    return request("POST", path, JPEG + number.to_bytes(8) + end, content_type=content_type, **headers)


def _correction(number: int) -> bytes:
    body = f'{{"request_id": "never-{number}", "hold_id": 1, "color": "unknown"}}'.encode()
    return request("POST", "/api/feedback", body, content_type="application/json")


def _form(number: int) -> bytes:
    name = f"field-{number}"
    body = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n1\r\n--x--\r\n'.encode()
    return request("POST", "/api/analyze", body, content_type="multipart/form-data; boundary=x")


def _preflight(number: int) -> bytes:
    return request(
        "OPTIONS",
        f"/api/{number}",
        key="",
        origin=f"https://{number}.example",
        access_control_request_method="POST",
        access_control_request_headers=f"x-{number}",
    )


HTTP = (
    Kind("wrong key, each another path", lambda n: request("GET", f"/api/{n}", key="wrong"), (401, 404)),
    Kind("wrong key, each another key", lambda n: request("GET", "/api/palette", key=f"wrong-{n}"), (401,)),
    Kind("no key, each another job", lambda n: request("GET", f"/api/jobs/{n}", key=""), (401,)),
    Kind("unknown path", lambda n: request("GET", f"/{n}"), (404,)),
    Kind("unknown file of the page", lambda n: request("GET", f"/static/{n}.js"), (404,)),
    Kind("unknown job", lambda n: request("GET", f"/api/jobs/{n}"), (404,)),
    Kind("unknown job, to be deleted", lambda n: request("DELETE", f"/api/jobs/{n}"), (404,)),
    Kind("known path, other method", lambda n: request("PUT", f"/api/analyze?{n}"), (405,)),
    Kind("unknown method", lambda n: request(f"BREW{n}", "/api/analyze"), (400, 405, 501)),
    Kind("preflight from a strange origin", _preflight, (400, 403)),
    Kind("allowed origin, each another path", lambda n: request("GET", f"/{n}", origin=ORIGIN), (404,)),
    Kind("unknown parameter", lambda n: _photo(n, path=f"/api/analyze?p{n}=1"), (422,)),
    Kind("parameter out of range", lambda n: _photo(n, path=f"/api/analyze?max_holds={1000 + n}"), (422,)),
    Kind("palette that cannot be used", lambda n: _photo(n, path=f"/api/analyze?palette=a{n},a{n}"), (422,)),
    Kind("form without a photo", _form, (400, 422)),
    Kind("no photo", lambda n: request("POST", "/api/analyze", b"%d" % n, content_type="image/jpeg"), (400,)),
    Kind("photo of a strange type", lambda n: _photo(n, content_type=f"x/{n}"), (415,)),
    Kind("broken photo", lambda n: _photo(n, end=REFUSED), (400, 503)),
    Kind("broken photo, asked for later", lambda n: _photo(n, end=REFUSED, prefer="respond-async"), (202, 503)),
    Kind("broken photo, as a stream", lambda n: _photo(n, path="/api/analyze-stream", end=REFUSED), (200, 503)),
    Kind("correction of an unknown answer", _correction, (201, 404, 422, 429, 503)),
    Kind("good photo, asked for later", lambda n: _photo(n, prefer="respond-async"), (202, 503)),
    Kind(
        "one photo, other parameters", lambda n: _photo(0, path=f"/api/analyze?min_confidence={_share(n)}"), (200, 503)
    ),
    Kind("one photo, asked for again and again", lambda _: _photo(0, prefer="respond-async"), (202, 503)),
    Kind(
        "good photo of a caller who leaves",
        lambda n: _photo(n, path="/api/analyze-stream"),
        (200, 503),
        leaves=True,
        grpc_bytes=96,  # grpcio 1.85.1 never frees the operation that waits for a cancelled call to be answered
    ),
)
"""All kinds over HTTP. Photos that are good are here, too: who sends them may have no end of them."""


def _share(number: int) -> str:
    return f"0.5{number:06}"
