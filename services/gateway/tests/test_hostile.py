"""What attackers send: nothing of it is reflected into headers, leaves its folder, or breaks a neighbour."""

import asyncio
import json

import pytest

JPEG = b"\xff\xd8\xff\xe0" + bytes(64)


async def exchange(gate, request, *, close=True):
    """Send raw bytes, and read all that comes back."""
    reader, writer = await asyncio.open_unix_connection(gate.http_path)
    writer.write(request)
    if close:
        writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


def raw(*headers, body=JPEG, path="/api/analyze"):
    lines = [f"POST {path} HTTP/1.1", "Host: gateway", "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 68", "Transfer-Encoding: chunked"],
        ["Content-Length: 68", "Content-Length: 5"],
        ["Content-Length: -1"],
        ["Content-Length: +68"],
        ["Content-Length: 6 8"],
        ["Content-Length: 99999999999999999999999"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked", "Content-Length: 68"],
        ["Content-Length : 68"],
        ["Bad Header: 1"],
    ],
)
async def test_a_request_of_doubtful_length_never_becomes_two(gate, headers):
    hidden = b"GET /api/palette HTTP/1.1\r\nHost: gateway\r\n\r\n"
    answer = await exchange(gate, raw("Content-Type: image/jpeg", *headers, body=b"0\r\n\r\n" + hidden))
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b"prompts" not in answer
    assert (await gate.analyze()).status_code == 200


@pytest.mark.parametrize("hostile", ["a\r\nSet-Cookie: x=1", "a\nb", "\x00", "a" * 4000, "<script>", "%0d%0aX: 1"])
@pytest.mark.parametrize("name", ["X-Request-Id", "Accept-Language", "Prefer", "Last-Event-ID", "Accept", "Origin"])
async def test_no_header_is_reflected_into_the_answer(gate, name, hostile):
    sent = raw("Content-Type: image/jpeg", f"Content-Length: {len(JPEG)}", f"{name}: {hostile}")
    answer = await exchange(gate, sent, close=False)  # who closes has left, and is not answered
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"set-cookie" not in head
    assert b"<script>" not in head
    assert b"%0d%0a" not in head
    assert head.startswith(b"http/1.1 ")


async def test_a_file_name_is_only_text_in_json(gate):
    name = 'a"\r\nSet-Cookie: x=1\r\n<script>\u2028'
    files = [("image", (name, JPEG, "image/jpeg"))]
    response = await gate.http.post("/api/analyze-batch", files=files)
    assert "set-cookie" not in response.headers
    first, last = [json.loads(line) for line in response.text.split("\n")[:-1]]
    assert "<script>" in first["name"]
    assert len(first["name"]) <= 200
    assert last == {"photos": 1, "failed": 0}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../index.html",
        "/static/..%2f..%2fpages.py",
        "/static/%2e%2e/%2e%2e/pages.py",
        "/static//etc/passwd",
        "/static/page.js%00.html",
        "/static/....//pages.py",
        "/api/jobs/..%2fpalette",
        "/api/../metrics%00",
        "//api/analyze",
        "/\\..\\..\\etc\\passwd",
    ],
)
async def test_no_path_leaves_its_folder(gate, path):
    answer = await exchange(gate, f"GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n".encode())
    assert answer.split()[1] in {b"404", b"400", b"405"}
    assert b"import" not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize(
    "query",
    [
        "max_holds=1&max_holds=2",
        "max_holds[]=1",
        "max_holds=1%00",
        "max_holds=%d9%a3",
        "max_holds=1e1",
        "max_holds=0x10",
        "max_holds=" + "9" * 5000,
        "min_confidence=inf",
        "min_holds=-3",
        "__proto__=1",
        "%ff%fe=1",
        "&&&=&",
        "max_holds",
    ],
)
async def test_no_parameter_breaks_it(gate, query):
    response = await gate.http.post(f"/api/analyze?{query}", content=JPEG, headers={"content-type": "image/jpeg"})
    assert response.status_code in {200, 422}
    if response.status_code == 422:
        assert response.json()["error"]["code"] == "INVALID_PARAMETER"
        assert len(response.content) < 20_000


def part(name=b"image", body=JPEG, more=b""):
    return (
        b'--x\r\nContent-Disposition: form-data; name="'
        + name
        + b'"; filename="a"\r\n'
        + more
        + b"\r\n"
        + body
        + b"\r\n"
    )


FORMS = {
    "10,000 parts": b"".join([part(b"x", b"1")] * 10_000) + b"--x--\r\n",
    "10,000 photos": b"".join([part(body=b"1")] * 10_000) + b"--x--\r\n",
    "a form in a form": part(body=b"--y\r\n\r\n--y--", more=b"Content-Type: multipart/mixed; boundary=y\r\n")
    + b"--x--",
    "an endless header": part(more=b"X-A: " + b"a" * 200_000 + b"\r\n"),
    "10,000 headers": part(more=b"X-A: a\r\n" * 10_000) + b"--x--\r\n",
    "only boundaries": b"--x\r\n" * 10_000,
    "no line ends": b"--x" * 10_000,
    "no end": part(),
    "another boundary": part().replace(b"--x", b"--z"),
    "nothing but zeros": bytes(100_000),
}


@pytest.mark.parametrize("path", ["/api/analyze", "/api/analyze-stream", "/api/analyze-batch"])
@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS.keys())
async def test_no_form_breaks_it(gate, path, body):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = await asyncio.wait_for(gate.http.post(path, content=body, headers=headers), 5)
    last = json.loads(response.text.splitlines()[-1])
    codes = {last["error"]["code"]} if "error" in last else {None}
    assert codes <= {"INVALID_PARAMETER", "INVALID_IMAGE", None}
    assert (await gate.analyze()).status_code == 200
    assert gate.lifecycle.inbox.reserved_bytes == 0


async def test_a_compressed_body_is_not_unpacked(gate):
    headers = {"content-type": "image/jpeg", "content-encoding": "gzip"}
    response = await gate.http.post("/api/analyze", content=b"\x1f\x8b" + bytes(100), headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (415, "UNSUPPORTED_FORMAT")


async def test_no_error_tells_of_the_inside(gate):
    async def fail():
        raise RuntimeError("/opt/venv/lib secret")

    gate.detector.before = fail
    for path in ("/api/analyze", "/api/analyze-stream"):
        response = await gate.http.post(path, content=JPEG, headers={"content-type": "image/jpeg"})
        for inside in ("Traceback", "secret", "/opt/", ".py", "RuntimeError"):
            assert inside not in response.text
