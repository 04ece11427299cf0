"""Bytes before, beside and after what is a request: all are bounded, and every answer to them has the one shape."""

import asyncio
import contextlib
import json
import socket
import time

import pytest
from gateway.web import server

JPEG = b"\xff\xd8\xff\xe0"
HOST = b"Host: gateway\r\n"
LIVEZ = b"GET /livez HTTP/1.1\r\n" + HOST
PHOTO = b"POST /api/analyze HTTP/1.1\r\n" + HOST + b"Content-Type: image/jpeg\r\n"
CHUNKED = PHOTO + b"Transfer-Encoding: chunked\r\n\r\n4\r\n" + JPEG + b"\r\n"
WHOLE = PHOTO + b"Content-Length: 4\r\n\r\n" + JPEG


@contextlib.asynccontextmanager
async def connected(gate):
    reader, writer = await asyncio.open_unix_connection(gate.http_path)
    try:
        yield reader, writer
    finally:
        writer.close()


async def told(gate, *pieces, half_close=False, limit_s=5):
    """All that comes back until the gateway closes."""
    async with connected(gate) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        if half_close:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), limit_s)


def failure_of(answer):
    """Status and code of the only answer; it is typed, identified, safe, and the last on its connection."""
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
    error = json.loads(body)["error"]
    assert error["request_id"].lower() == headers["x-request-id"]
    assert headers["connection"] == "close"
    assert headers["x-content-type-options"] == "nosniff"
    assert error["message"]
    return int(head.split()[1]), error["code"]


def series(gate):
    return {
        (sample.name, *sorted(sample.labels.items()))
        for metric in gate.lifecycle.metrics.registry.collect()
        for sample in metric.samples
        if metric.name == "climbmate_http_seconds"
    }


NO_REQUESTS = {
    "raw UTF-8 in the target": "GET /벽 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a NUL in the target": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method that is no token": b"GE(T /livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "two lengths": PHOTO + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n" + JPEG,
    "a length and chunks": PHOTO
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + LIVEZ
    + b"\r\n",
    "chunks in HTTP/1.0": b"POST /api/analyze HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding": PHOTO + b"Transfer-Encoding: gzip\r\n\r\n",
    "a negative length": PHOTO + b"Content-Length: -1\r\n\r\n",
    "a length without end": PHOTO + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": LIVEZ + HOST + b"\r\n",
    "a space before the colon": LIVEZ + b"A : b\r\n\r\n",
    "a NUL in a header": LIVEZ + b"A: \x00\r\n\r\n",
    "a CR in a header": LIVEZ + b"A: b\rc\r\n\r\n",
    "a line folded before the first header": b"GET /livez HTTP/1.1\r\n a: b\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"GET /livez HTTP/9.9\r\n" + HOST + b"\r\n",
    "no version": b"GET /livez HTTP\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "nothing but zeros": bytes(1000),
    "a chunk that is no number": CHUNKED + b"zz\r\n",
    "a chunk of a negative size": CHUNKED + b"-1\r\n",
    "a chunk larger than all memory": CHUNKED + b"f" * 30 + b"\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\nxyz\r\n",
    "a trailer that is no header": CHUNKED + b"0\r\nno header\r\n\r\n",
}


@pytest.mark.parametrize("sent", NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
async def test_what_does_not_parse_is_told_so_and_closed(gate, sent):
    assert failure_of(await told(gate, sent)) == (400, "INVALID_REQUEST")
    assert (await gate.analyze()).status_code == 200


TOO_LONG = {
    "a URL": (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a URL that fits a read": (b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a URL without end": (b"GET /" + b"a" * 200_000, 414),
    "a query": (b"GET /api/palette?" + b"a" * 17_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a method": (b"G" * 200_000, 414),
    "a value": (LIVEZ + b"A: " + b"b" * 200_000 + b"\r\n\r\n", 431),
    "a name": (LIVEZ + b"A" * 200_000 + b": b\r\n\r\n", 431),
    "a folded value": (LIVEZ + b"A: b\r\n" + b" c\r\n" * 50_000 + b"\r\n", 431),
    "20,000 headers": (LIVEZ + b"a:b\r\n" * 20_000, 431),
    "101 headers": (LIVEZ + b"a:b\r\n" * 100 + b"\r\n", 431),
    "headers of 25 KB in all": (LIVEZ + (b"A: " + b"b" * 500 + b"\r\n") * 50 + b"\r\n", 431),
    "trailers": (CHUNKED + b"0\r\n" + b"a:b\r\n" * 20_000, 431),
    "a chunk's extension": (CHUNKED + b"1;" + b"a" * 3_000_000, 431),
    "a chunk's size": (CHUNKED + b"0" * 200_000, 431),
}


@pytest.mark.parametrize(("sent", "status"), TOO_LONG.values(), ids=TOO_LONG.keys())
async def test_what_is_too_long_is_told_so_and_closed(gate, sent, status):
    code = {414: "URI_TOO_LONG", 431: "HEADERS_TOO_LARGE"}[status]
    pieces = [sent[start : start + 60_000] for start in range(0, len(sent), 60_000)]
    assert failure_of(await told(gate, *pieces)) == (status, code)


async def test_the_largest_palette_in_words_is_no_url_too_long(gate):
    palette = ",".join(f"color{number}:{'w' * 200}" for number in range(64))
    assert (await gate.analyze(palette=palette)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"BREW /livez HTTP/1.1\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"TRACE /livez HTTP/1.1\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"OPTIONS /api/palette HTTP/1.1\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"get /livez HTTP/1.1\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"CONNECT a.example:443 HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"OPTIONS * HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"GET //livez HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"GET /livez%2f HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"GET /static/%2e%2e%2fapp.py HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"GET /%00 HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"GET /%ff%fe HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"GET /livez#here HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"GET http://gateway/nothing HTTP/1.1\r\n", 404, "NOT_FOUND"),
    ],
)
async def test_what_parses_and_is_served_by_nobody_is_told_so(gate, sent, status, code):
    assert failure_of(await told(gate, sent + HOST + b"Connection: close\r\n\r\n")) == (status, code)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET http://gateway/livez HTTP/1.1\r\n" + HOST,
        b"GET /livez HTTP/1.0\r\n",
        b"\r\n\r\n" + LIVEZ,
        LIVEZ + b"Upgrade: h2c\r\nConnection: upgrade, close\r\n",
        LIVEZ + b"Expect: the unexpected\r\n",
    ],
)
async def test_what_is_unusual_and_right_is_served(gate, sent):
    close = b"" if b"close" in sent else b"Connection: close\r\n"
    answer = await told(gate, sent + close + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"status":"alive"}')


async def test_a_head_has_the_headers_of_the_answer_and_no_body(gate):
    answer = await told(gate, b"HEAD /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


async def test_a_wrong_method_is_told_all_right_ones(gate):
    assert set((await gate.http.put("/api/jobs/x")).headers["allow"].split(", ")) == {"GET", "HEAD", "DELETE"}


async def test_who_closes_half_is_answered(gate):
    gate.detector.before = lambda: asyncio.sleep(1.2)
    answer = await told(gate, WHOLE, half_close=True)
    interim, _, final = answer.rpartition(b"HTTP/1.1 200 ")
    assert set(interim.split(b"\r\n\r\n")) <= {b"HTTP/1.1 100 ", b"HTTP/1.1 100 Continue", b""}
    assert b'"problems"' in final


@pytest.mark.parametrize("times", [1, 3])
async def test_who_closes_half_gets_all_answers(gate, times):
    answer = await told(gate, (LIVEZ + b"\r\n") * times, half_close=True)
    assert answer.count(b'{"status":"alive"}') == times


async def test_who_closes_half_gets_the_whole_stream(gate):
    gate.detector.before = lambda: asyncio.sleep(1.2)
    sent = WHOLE.replace(b"/api/analyze ", b"/api/analyze-stream ")
    answer = await told(gate, sent, half_close=True)
    assert b"event: result" in answer
    assert b":\n\n" in answer  # a comment, by which the gateway has found that somebody reads


@pytest.mark.parametrize(
    "sent", [b"GET /livez HT", PHOTO + b"Content-Length: 9\r\n\r\n" + JPEG, CHUNKED, CHUNKED + b"0\r\n"]
)
async def test_who_closes_half_a_request_is_told_so_at_once(gate, sent):
    start_s = time.perf_counter()
    assert failure_of(await told(gate, sent, half_close=True)) == (400, "INVALID_REQUEST")
    assert time.perf_counter() - start_s < 0.4


async def test_who_closes_half_behind_whole_requests_is_told_of_the_half_one(gate):
    answer = await told(gate, LIVEZ + b"\r\n" + LIVEZ, half_close=True)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert failure_of(answer[answer.index(b"HTTP/1.1 400 ") :]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("path", [b"/api/analyze ", b"/api/analyze-stream "])
async def test_who_closes_altogether_over_tcp_stops_the_work(open_gate, path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    gate = await open_gate(gateway_listen=f"{address[0]}:{address[1]}")
    gate.detector.before = lambda: asyncio.sleep(60)
    _, writer = await asyncio.open_connection(*address)
    writer.write(WHOLE.replace(b"/api/analyze ", path))
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    writer.close()
    await asyncio.wait_for(gate.detector.cancelled.wait(), 3)


async def test_no_request_is_read_before_the_one_before_it_is_answered(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    async with connected(gate) as (_, writer):
        writer.write(WHOLE)
        while not gate.detector.requests:
            await asyncio.sleep(0.01)
        taken = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while taken < 8_000_000:
                    writer.write((LIVEZ + b"\r\n") * 1000)
                    await writer.drain()
                    taken += 1000 * len(LIVEZ)
        assert taken < 2_000_000  # which the sockets hold


async def test_photos_one_behind_the_other_are_answered_in_order(gate):
    sent = b"".join(
        WHOLE.replace(b"Content-Length", b"X-Request-Id: n%d\r\nContent-Length" % number) for number in range(5)
    )
    answer = await told(gate, sent, half_close=True)
    assert [answer.index(b"x-request-id: n%d" % number) for number in range(5)] == sorted(
        answer.index(b"x-request-id: n%d" % number) for number in range(5)
    )
    assert answer.count(b"HTTP/1.1 200 ") == 5


@pytest.mark.parametrize(
    "refused",
    [
        b"POST /api/analyze HTTP/1.1\r\n" + HOST + b"Content-Type: text/plain\r\nContent-Length: 900\r\n\r\n",
        b"POST /api/nothing HTTP/1.1\r\n" + HOST + b"Content-Length: 900\r\n\r\n",
        LIVEZ + b"Content-Length: 900\r\n\r\n",
        CHUNKED + b"zz\r\n",
        LIVEZ + b"A : b\r\n\r\n",
        LIVEZ + b"Connection: close\r\n\r\n",
    ],
)
async def test_nothing_behind_a_request_that_was_not_read_is_a_request(gate, refused):
    answer = await told(gate, refused + b"GET /api/palette HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"prompts" not in answer


async def test_a_hundred_thousand_chunks_of_one_byte_hold_up_nobody(gate):
    async with connected(gate) as (reader, writer):
        writer.write(CHUNKED)
        worst_s = 0.0
        for _ in range(50):
            writer.write(b"1\r\nx\r\n" * 2000)
            start_s = time.perf_counter()
            assert (await gate.http.get("/livez")).status_code == 200
            worst_s = max(worst_s, time.perf_counter() - start_s)
        writer.write(b"0\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert worst_s < 0.5


async def test_a_body_without_end_that_nobody_asked_for_has_one(gate):
    async with connected(gate) as (reader, writer):
        writer.write(LIVEZ + b"Transfer-Encoding: chunked\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), 2)).startswith(b"HTTP/1.1 200 ")
        start_s = time.perf_counter()
        with contextlib.suppress(ConnectionError):
            while time.perf_counter() - start_s < 6:
                writer.write(b"400\r\n" + bytes(1024) + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0)
        assert time.perf_counter() - start_s < 4


async def test_trailers_that_come_slowly_are_cut_like_any_slow_body(open_gate):
    gate = await open_gate(gateway_upload_grace_s=0.3)
    async with connected(gate) as (reader, writer):
        writer.write(CHUNKED + b"0\r\n")
        trickle = asyncio.create_task(trickling(writer))
        answer = await asyncio.wait_for(reader.read(), 3)
        trickle.cancel()
    assert failure_of(answer) == (504, "DEADLINE_EXCEEDED")


async def trickling(writer):
    while True:
        writer.write(b"A: b\r\n")
        await asyncio.sleep(0.05)


async def test_a_slow_head_is_told_so(open_gate):
    gate = await open_gate(gateway_head_timeout_s=0.3)
    assert failure_of(await told(gate, LIVEZ)) == (504, "DEADLINE_EXCEEDED")


async def test_who_asks_whether_to_go_on_is_told_to(gate):
    async with connected(gate) as (reader, writer):
        writer.write(PHOTO + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(JPEG)
        assert (await asyncio.wait_for(reader.readline(), 2)).startswith(b"HTTP/1.1 200 ")


async def test_what_strangers_invent_is_no_metric(open_gate, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"alice {'0' * 64}\n")
    gate = await open_gate(gateway_api_keys_file=str(keys), gateway_cors_origins="https://app.example")
    wrong = {"authorization": "Bearer wrong"}
    preflight = {"origin": "https://app.example", "access-control-request-method": "POST"}
    asks = (
        lambda name: gate.http.get(f"/api/{name}", headers=wrong),
        lambda name: gate.http.get(f"/api/jobs/{name}", headers=wrong),
        lambda name: gate.http.post(f"/api/analyze?{name}=1", headers=wrong, content=JPEG),
        lambda name: gate.http.options(f"/api/{name}", headers=preflight),
        lambda name: gate.http.options(f"/api/{name}", headers={**preflight, "origin": "https://evil.example"}),
        lambda name: gate.http.request(name.upper(), "/api/palette", headers=wrong),
        lambda name: gate.http.get(f"/static/{name}"),
        lambda name: gate.http.get(f"/livez/{name}"),
    )
    await asyncio.gather(*(ask("first") for ask in asks))
    before = series(gate)
    for number in range(5000):
        await asks[number % len(asks)](f"n{number}")
    assert series(gate) == before
    assert "unmatched" in {dict(labels[1:])["route"] for labels in before}


async def test_a_refused_preflight_has_the_one_shape_and_its_outcome(open_gate):
    gate = await open_gate(gateway_cors_origins="https://app.example")
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST", "accept-language": "ko"}
    response = await gate.http.options("/api/analyze", headers=asked)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert response.headers["content-language"] == "ko"
    assert "access-control-allow-origin" not in response.headers
    counted = 'climbmate_http_seconds_count{outcome="INVALID_REQUEST",route="/api/analyze"} 1.0'
    assert counted in (await gate.http.get("/metrics")).text


async def test_what_does_not_parse_is_logged_once_and_counted(gate, caplog):
    with caplog.at_level("INFO", logger="http"):
        await told(gate, b"GE(T / HTTP/1.1\r\n\r\n")
    [record] = [record for record in caplog.records if record.message == "request"]
    assert record.fields["status"] == 400
    assert (record.fields["method"], record.fields["route"]) == ("other", "unmatched")
    counted = 'climbmate_http_seconds_count{outcome="INVALID_REQUEST",route="unmatched"} 1.0'
    assert counted in (await gate.http.get("/metrics")).text


async def test_a_refused_request_that_has_come_whole_leaves_the_connection_open(gate):
    async with connected(gate) as (reader, writer):
        for _ in range(2):
            writer.write(WHOLE.replace(b"image/jpeg", b"text/plain"))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
            assert head.startswith(b"HTTP/1.1 415 ")
            assert b"connection: close" not in head
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))


async def test_who_takes_no_answer_is_cut(open_gate, monkeypatch):
    monkeypatch.setattr(server, "_UNREAD_MS", 500)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    await open_gate(gateway_listen=f"{address[0]}:{address[1]}")

    def never_read():
        with socket.create_connection(address, timeout=10) as caller:
            while True:
                caller.sendall((LIVEZ + b"\r\n") * 1000)

    with pytest.raises(ConnectionError):
        await asyncio.to_thread(never_read)


async def test_probes_are_logged_for_who_looks_closely_only(gate, caplog):
    with caplog.at_level("DEBUG", logger="http"):
        for path in ("/livez", "/readyz", "/metrics", "/api/health", "/api/palette", "/livez/x"):
            await gate.http.get(path)
    levels = {record.fields["route"]: record.levelname for record in caplog.records if record.message == "request"}
    probes = dict.fromkeys(("/livez", "/readyz", "/metrics", "/api/health"), "DEBUG")
    assert levels == {**probes, "/api/palette": "INFO", "unmatched": "INFO"}
