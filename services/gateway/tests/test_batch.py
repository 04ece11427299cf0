"""Several photos in one form, answered line by line while the rest still arrives."""

import asyncio
import json

import httpx
import pytest
from gateway.web.batch_form import MAX_PHOTOS

PHOTO = b"\xff\xd8\xff\xe0" + bytes(64)


def form(*photos):
    return [("image", (f"{number}.jpg", photo, "image/jpeg")) for number, photo in enumerate(photos)]


async def send(gate, files, **headers):
    response = await gate.http.post("/api/analyze-batch", files=files, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    *lines, end = [json.loads(line) for line in response.text.splitlines()]
    return lines, end


async def test_every_photo_has_its_line_and_the_last_one_counts(gate):
    lines, end = await send(gate, form(*(PHOTO + bytes([number]) for number in range(5))))
    assert end == {"photos": 5, "failed": 0}
    assert sorted(line["index"] for line in lines) == list(range(5))
    assert all(line["name"] == f"{line['index']}.jpg" for line in lines)
    assert all(len(line["result"]["holds"]) == 5 for line in lines)
    assert len({line["result"]["request_id"] for line in lines}) == 5


async def test_lines_come_in_the_order_of_completion(gate):
    released = asyncio.Event()

    async def first_waits():
        if len(gate.detector.requests) == 1:
            await released.wait()
        else:
            asyncio.get_running_loop().call_later(0.1, released.set)

    gate.detector.before = first_waits
    lines, _ = await send(gate, form(PHOTO + b"a", PHOTO + b"b"))
    assert [line["index"] for line in lines] == [1, 0]


async def test_a_bad_photo_costs_its_own_line_only(gate):
    lines, end = await send(gate, form(PHOTO, b"no photo", b"GIF89a", b""), **{"accept-language": "ko"})
    told = {line["index"]: line.get("error", {}).get("code") for line in lines}
    assert told == {0: None, 1: "INVALID_IMAGE", 2: "UNSUPPORTED_FORMAT", 3: "INVALID_IMAGE"}
    assert end == {"photos": 4, "failed": 3}
    assert "사진" in next(line for line in lines if line["index"] == 1)["error"]["message"]


async def test_answers_come_while_photos_still_arrive(gate):
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    answered = asyncio.Event()

    async def body():
        yield head + PHOTO + b"\r\n"
        yield head + PHOTO + b"1"
        await asyncio.wait_for(answered.wait(), 5)
        yield b"2\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    lines = []
    reader, writer = await asyncio.open_unix_connection(gate.http_path)
    writer.write(
        b"POST /api/analyze-batch HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
        + f"content-type: {headers['content-type']}\r\n\r\n".encode()
    )

    async def upload():
        async for piece in body():
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        writer.write(b"0\r\n\r\n")

    uploading = asyncio.create_task(upload())
    while not (line := await asyncio.wait_for(reader.readline(), 5)).startswith(b"0"):
        if line.startswith(b"{"):
            lines.append(json.loads(line))
            answered.set()
    await uploading
    writer.close()
    assert [line.get("index") for line in lines] == [0, 1, None]


async def test_more_photos_than_allowed_are_refused_and_the_first_ones_answered(gate):
    lines, end = await send(gate, form(*(PHOTO + bytes([number]) for number in range(MAX_PHOTOS + 1))))
    assert len(lines) == MAX_PHOTOS
    assert end["error"]["code"] == "INVALID_PARAMETER"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (PHOTO, "image/jpeg", 415),
        (b"", "multipart/form-data", 422),
        (b"{}", "application/json", 415),
    ],
)
async def test_what_is_no_form_is_refused(gate, content, kind, status):
    response = await gate.http.post("/api/analyze-batch", content=content, headers={"content-type": kind})
    assert response.status_code == status


@pytest.mark.parametrize(
    "body", [b"", b"--x--\r\n", b"--x\r\n", b"junk", b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc']
)
async def test_a_broken_form_ends_with_its_error(gate, body):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = await gate.http.post("/api/analyze-batch", content=body, headers=headers)
    end = json.loads(response.text.splitlines()[-1])
    assert end["error"]["code"] == "INVALID_PARAMETER"
    assert end["photos"] == 0


async def test_at_most_four_photos_of_a_batch_are_analyzed_at_once(gate):
    busy = most = 0

    async def watch():
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.05)
        busy -= 1

    gate.detector.before = watch
    _, end = await send(gate, form(*(PHOTO + bytes([number]) for number in range(12))))
    assert end == {"photos": 12, "failed": 0}
    assert most == 4


async def test_photos_of_a_batch_wait_for_memory(open_gate):
    gate = await open_gate(inbox_bytes=60_000_000)
    _, end = await send(gate, form(*(PHOTO + bytes(2_000_000) + bytes([number]) for number in range(6))))
    assert end == {"photos": 6, "failed": 0}
    assert gate.lifecycle.inbox.reserved_bytes == 0


async def test_a_caller_who_leaves_stops_the_work(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    leaving = asyncio.create_task(send(gate, form(PHOTO, PHOTO + b"1")))
    while len(gate.detector.requests) < 2:
        await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.wait_for(gate.detector.cancelled.wait(), 2)
    gate.detector.before = None
    assert (await gate.analyze()).status_code == 200
    assert gate.lifecycle.inbox.reserved_bytes == 0


async def test_a_caller_who_leaves_in_the_middle_of_a_photo_leaves_nothing_behind(gate):
    _, writer = await asyncio.open_unix_connection(gate.http_path)
    head = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n' + PHOTO
    writer.write(
        b"POST /api/analyze-batch HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n"
        b"content-type: multipart/form-data; boundary=x\r\n\r\n" + head
    )
    while not gate.lifecycle.inbox.reserved_bytes:
        await asyncio.sleep(0.01)
    writer.transport.abort()
    while gate.lifecycle.inbox.reserved_bytes:
        await asyncio.sleep(0.01)
    assert (await gate.http.get("/api/health")).json()["services"]["gateway"]["in_flight"] == 0


async def test_the_same_photo_twice_is_computed_once(open_gate):
    gate = await open_gate(gateway_remember_s=600.0)
    lines, _ = await send(gate, form(PHOTO, PHOTO))
    assert len(lines) == 2
    assert len(gate.detector.requests) == 1


async def test_parameters_are_those_of_one_photo(gate):
    response = await gate.http.post("/api/analyze-batch?max_holds=2", files=form(PHOTO))
    assert len(json.loads(response.text.splitlines()[0])["result"]["holds"]) == 2
    assert (await gate.http.post("/api/analyze-batch?max_hold=2", files=form(PHOTO))).status_code == 422
    assert isinstance(response, httpx.Response)
