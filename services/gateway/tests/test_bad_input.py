"""What callers do wrong, through the real HTTP server: the right status and code, quickly, and nobody is harmed."""

import asyncio
import time

import pytest
from servicekit.limits import MAX_PHOTO_BYTES

PNG = b"\x89PNG\r\n\x1a\n"
BOUNDARY = "multipart/form-data; boundary=x"


def form(*parts, end=b"--x--\r\n"):
    return b"".join(b"--x\r\n" + head + b"\r\n\r\n" + body + b"\r\n" for head, body in parts) + end


def field(name):
    return b'Content-Disposition: form-data; name="' + name + b'"'


CASES = {
    "an empty body": (b"", "image/jpeg", {}, 400, "INVALID_IMAGE"),
    "no body and no type": (None, None, {}, 400, "INVALID_IMAGE"),
    "text that says it is a JPEG": (b"hello", "image/jpeg", {}, 400, "INVALID_IMAGE"),
    "a GIF": (b"GIF89a", "image/gif", {}, 415, "UNSUPPORTED_FORMAT"),
    "an SVG": (b"<svg/>", "image/svg+xml", {}, 415, "UNSUPPORTED_FORMAT"),
    "an AVIF": (b"\x00\x00\x00\x20ftypavif", "image/avif", {}, 415, "UNSUPPORTED_FORMAT"),
    "a wrong content type": (b"{}", "application/json", {}, 415, "UNSUPPORTED_FORMAT"),
    "no content type": (PNG, None, {}, 415, "UNSUPPORTED_FORMAT"),
    "too many bytes": (PNG + bytes(MAX_PHOTO_BYTES), "image/png", {}, 413, "IMAGE_TOO_LARGE"),
    "max_holds of 0": (PNG, "image/png", {"max_holds": "0"}, 422, "INVALID_PARAMETER"),
    "max_holds of 301": (PNG, "image/png", {"max_holds": "301"}, 422, "INVALID_PARAMETER"),
    "max_holds that is no number": (PNG, "image/png", {"max_holds": "many"}, 422, "INVALID_PARAMETER"),
    "min_confidence of 0": (PNG, "image/png", {"min_confidence": "0"}, 422, "INVALID_PARAMETER"),
    "min_confidence of nan": (PNG, "image/png", {"min_confidence": "nan"}, 422, "INVALID_PARAMETER"),
    "a palette of 65 colors": (PNG, "image/png", {"palette": ",".join(map(str, range(65)))}, 422, "INVALID_PARAMETER"),
    "a palette that names a color twice": (PNG, "image/png", {"palette": "red,mint,red"}, 422, "INVALID_PARAMETER"),
    "a palette with an empty name": (PNG, "image/png", {"palette": "red,,mint"}, 422, "INVALID_PARAMETER"),
    "a palette with an endless prompt": (PNG, "image/png", {"palette": "red:" + "x" * 201}, 422, "INVALID_PARAMETER"),
    "an unknown parameter": (PNG, "image/png", {"max_hold": "4"}, 422, "INVALID_PARAMETER"),
    "a form without a photo": (form((field(b"x"), b"1")), BOUNDARY, {}, 422, "INVALID_PARAMETER"),
    "a form with two photos": (
        form((field(b"image"), PNG), (field(b"file"), PNG)),
        BOUNDARY,
        {},
        422,
        "INVALID_PARAMETER",
    ),
    "a form with an empty photo": (form((field(b"image"), b"")), BOUNDARY, {}, 400, "INVALID_IMAGE"),
    "a form that ends too early": (form((field(b"image"), PNG), end=b""), BOUNDARY, {}, 422, "INVALID_PARAMETER"),
    "a form without a boundary": (form(), "multipart/form-data", {}, 422, "INVALID_PARAMETER"),
    "a form with a huge boundary": (form(), BOUNDARY + "x" * 5000, {}, 422, "INVALID_PARAMETER"),
    "a form of garbage": (b"garbage", BOUNDARY, {}, 422, "INVALID_PARAMETER"),
    "a form of 10,000 parts": (form(*[(field(b"x"), b"1")] * 10_000), BOUNDARY, {}, 422, "INVALID_PARAMETER"),
    "a form with an endless header": (
        form((b"X-Long: " + b"a" * 100_000, PNG)),
        BOUNDARY,
        {},
        422,
        "INVALID_PARAMETER",
    ),
    "a form in a form": (
        form((b"Content-Type: " + BOUNDARY.encode() + b"; boundary=y", b"--y\r\n\r\n--y--")),
        BOUNDARY,
        {},
        422,
        "INVALID_PARAMETER",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_is_refused(gate, case):
    body, kind, params, status, code = case
    headers = {} if kind is None else {"content-type": kind}
    for path in ("/api/analyze", "/api/analyze-stream"):
        start_s = time.perf_counter()
        response = await gate.http.post(path, content=body, params=params, headers=headers)
        assert time.perf_counter() - start_s < 1
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)
        assert response.json()["error"]["request_id"] == response.headers["x-request-id"]
    assert gate.detector.requests == []
    assert (await gate.analyze()).status_code == 200


async def test_a_bad_parameter_is_named(gate):
    details = (await gate.analyze(max_holds=301, min_confidence=7)).json()["error"]["details"]
    assert "300" in details["max_holds"]
    assert "min_confidence" in details


@pytest.mark.parametrize("deadline", ["0", "soon", "-5", "1e9"])
async def test_an_unfit_deadline_is_refused(gate, deadline):
    response = await gate.analyze(headers={"x-request-deadline-ms": deadline})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "INVALID_PARAMETER")
    assert "x-request-deadline-ms" in response.json()["error"]["details"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "NOT_FOUND"),
        ("GET", "/../../etc/passwd", 404, "NOT_FOUND"),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404, "NOT_FOUND"),
        ("POST", "/api/analyze/", 404, "NOT_FOUND"),
        ("GET", "/api/analyze", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/api/palette", 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_a_wrong_address_is_told_in_the_same_shape(gate, method, path, status, code):
    response = await gate.http.request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_body_of_undeclared_size_is_cut_while_reading(gate):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 1_000_000
            yield PNG + bytes(1_000_000 - len(PNG))

    response = await gate.http.post("/api/analyze", content=endless(), headers={"content-type": "image/png"})
    assert response.status_code == 413
    assert response.headers["connection"] == "close"
    assert sent < 3 * MAX_PHOTO_BYTES


async def test_a_declared_size_is_refused_before_the_body_comes(gate):
    reader, writer = await asyncio.open_unix_connection(gate.http_path)
    writer.write(
        b"POST /api/analyze HTTP/1.1\r\nHost: gateway\r\nContent-Type: image/png\r\n"
        b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    )
    assert (await asyncio.wait_for(reader.readline(), 1)).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_slow_upload_is_cut_by_its_deadline(open_gate):
    gate = await open_gate(gateway_upload_deadline_s=0.3)
    reader, writer = await asyncio.open_unix_connection(gate.http_path)
    writer.write(
        b"POST /api/analyze HTTP/1.1\r\nHost: gateway\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\n" + PNG
    )
    start_s = time.perf_counter()
    answer = await asyncio.wait_for(reader.read(), 3)  # to the end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert time.perf_counter() - start_s < 1.3
    writer.close()


async def test_who_sends_all_of_a_refused_photo_before_reading_gets_the_answer(gate):
    """A second and more on the way, as when many are refused at once."""
    reader, writer = await asyncio.open_unix_connection(gate.http_path)
    head = b"POST /api/analyze HTTP/1.1\r\nHost: gateway\r\nContent-Type: text/plain\r\n"
    writer.write(head + b"Content-Length: 3000000\r\n\r\n")
    for _ in range(30):
        writer.write(bytes(100_000))
        await writer.drain()
        await asyncio.sleep(0.04)
    assert (await asyncio.wait_for(reader.readline(), 3)).startswith(b"HTTP/1.1 415 ")
    writer.close()


async def test_a_caller_who_leaves_during_the_upload_disturbs_nobody(gate):
    _, writer = await asyncio.open_unix_connection(gate.http_path)
    writer.write(
        b"POST /api/analyze HTTP/1.1\r\nHost: gateway\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\n" + PNG
    )
    await writer.drain()
    writer.close()
    assert (await gate.analyze()).status_code == 200
    assert (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"] == 0


async def test_korean_callers_are_told_in_korean(gate):
    response = await gate.analyze(b"hello", headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.8"})
    assert response.headers["content-language"] == "ko"
    assert "사진" in response.json()["error"]["message"]
    assert response.json()["error"]["code"] == "INVALID_IMAGE"
