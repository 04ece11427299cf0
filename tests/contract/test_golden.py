"""What every route answers, and every error, as files: a change of the interface is a change of a file in review.

`GOLDEN=write .venv/bin/pytest tests/contract/test_golden.py` writes them anew.
"""

import asyncio
import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from gateway.web.failures import STATUS
from servicekit.limits import MAX_PHOTO_BYTES

from services.gateway.tests.conftest import open_gate  # noqa: F401 - a fixture

GOLDEN = Path(__file__).parent / "golden"
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
ID = {"x-request-id": "golden"}
RAW = {"content-type": "image/jpeg", **ID}
HEADERS = (
    "content-type",
    "content-location",
    "retry-after",
    "www-authenticate",
    "allow",
    "location",
    "preference-applied",
)
MOMENTARY = frozenset(
    ("ms", "memory_before_bytes", "memory_after_bytes", "used_bytes", "limit_bytes", "floor_bytes", "color", "total")
)
TOLD_FIGURES = frozenset(("reason", "retry_after_s", "held_bytes"))
FEEDBACK = {"request_id": "golden", "hold_id": 4, "color": "red"}


def settled(node, name=""):
    """The same without what differs from run to run."""
    if isinstance(node, dict):
        return {key: settled(value, key) for key, value in node.items()}
    if isinstance(node, list):
        return [settled(each) for each in node]
    if isinstance(node, str) and node.startswith("The deadline"):
        return "*"  # whoever notices first says it
    if isinstance(node, str) and name in TOLD_FIGURES:
        return re.sub(r"\d+(\.\d+)?", "*", node)
    return "*" if name in MOMENTARY and isinstance(node, int | float) else node


def body_of(response, job_id):
    text = response.text.replace(job_id, "JOB") if job_id else response.text
    kind = response.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return settled(json.loads(text))
    if kind == "application/x-ndjson":
        return [settled(json.loads(line)) for line in text.splitlines()]
    if kind.startswith("text/event-stream"):
        events = [dict(line.split(": ", 1) for line in event.split("\n")) for event in text.split("\n\n") if event]
        return [{**event, "data": settled(json.loads(event["data"]))} for event in events]
    return text


def compare(name, response, job_id=""):
    headers = {key: response.headers[key].replace(job_id or "\0", "JOB") for key in HEADERS if key in response.headers}
    told = {"status": response.status_code, "headers": headers, "body": body_of(response, job_id)}
    file = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    assert told == json.loads(file.read_text())


def job_of(response):
    address = response.headers.get("content-location") or response.headers["location"]
    return address.removesuffix("/events").rpartition("/")[2]


@pytest.fixture
async def gate(open_gate):  # noqa: F811
    return await open_gate(gateway_remember_s=600.0, gateway_chunk_holds=40)


async def test_an_analysis(gate):
    response = await gate.http.post("/api/analyze", content=JPEG, headers=RAW)
    compare("analyze", response, job_of(response))


async def test_a_drawing(gate):
    response = await gate.http.post("/api/analyze", content=JPEG, headers={**RAW, "accept": "image/svg+xml"})
    compare("analyze-svg", response, job_of(response))


async def test_a_stream(gate):
    response = await gate.http.post("/api/analyze-stream", content=JPEG, headers=RAW)
    compare("analyze-stream", response, job_of(response))


async def test_a_stream_that_fails(gate):
    async def fail():
        raise ValueError("planted")

    gate.detector.before = fail
    response = await gate.http.post("/api/analyze-stream", content=JPEG, headers=RAW)
    compare("analyze-stream-error", response, job_of(response))


async def test_a_batch(gate):
    files = [("image", ("a.jpg", JPEG, "image/jpeg")), ("image", ("b.jpg", b"no photo", "image/jpeg"))]
    response = await gate.http.post("/api/analyze-batch", files=files, headers=ID)
    response._content = b"".join(sorted(response.content.splitlines(keepends=True)))
    compare("analyze-batch", response)


async def test_a_job(gate):
    go_on = asyncio.Event()
    gate.detector.before = go_on.wait
    accepted = await gate.http.post("/api/analyze", content=JPEG, headers={**RAW, "prefer": "respond-async"})
    job_id = job_of(accepted)
    address = f"/api/jobs/{job_id}"
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    compare("job-running", await gate.http.get(address, headers=ID), job_id)
    go_on.set()
    compare("job-events", await gate.http.get(f"{address}/events", headers={**ID, "last-event-id": "4"}), job_id)
    while (done := await gate.http.get(address, headers=ID)).json()["status"] == "running":
        await asyncio.sleep(0.01)
    compare("job-done", done, job_id)
    compare("job-deleted", await gate.http.delete(address, headers=ID), job_id)


@pytest.mark.parametrize("path", ["/api/palette", "/api/health", "/livez", "/readyz"])
async def test_what_is_asked_for_by_get(gate, path):
    compare(path.strip("/").replace("/", "-"), await gate.http.get(path, headers=ID))


async def test_a_correction(gate):
    await analyze(gate)
    compare("feedback", await gate.http.post("/api/feedback", json=FEEDBACK, headers=ID))


def analyze(gate, photo=JPEG, path="/api/analyze", **headers):
    return gate.http.post(path, content=photo, headers={**RAW, **headers})


async def late(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    return await analyze(gate, **{"x-request-deadline-ms": "200"})


async def unavailable(gate):
    await gate.services["detector"].stop()
    return await analyze(gate)


async def broken(gate):
    async def break_down():
        raise ValueError("planted")

    gate.detector.before = break_down
    return await analyze(gate)


async def overloaded(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    first = asyncio.create_task(analyze(gate))
    while not gate.detector.requests:
        await asyncio.sleep(0.01)
    answer = await analyze(gate)
    first.cancel()
    return answer


async def limited(gate):
    await analyze(gate, authorization="Bearer key")
    return await analyze(gate, authorization="Bearer key")


async def not_stored(gate):
    await analyze(gate)
    return await gate.http.post("/api/feedback", json=FEEDBACK, headers=ID)


PROVOKED = {
    "INVALID_IMAGE": lambda gate: analyze(gate, b"no photo"),
    "UNSUPPORTED_FORMAT": lambda gate: analyze(gate, b"GIF89a"),
    "INVALID_PARAMETER": lambda gate: analyze(gate, path="/api/analyze?max_hold=3"),
    "IMAGE_TOO_LARGE": lambda gate: analyze(gate, bytes(MAX_PHOTO_BYTES + 1)),
    "UNAUTHENTICATED": analyze,
    "RATE_LIMITED": limited,
    "OVERLOADED": overloaded,
    "UNAVAILABLE": unavailable,
    "DEADLINE_EXCEEDED": late,
    "INTERNAL": broken,
    "NOT_FOUND": lambda gate: gate.http.get("/api/nothing", headers=ID),
    "METHOD_NOT_ALLOWED": lambda gate: gate.http.get("/api/analyze", headers=ID),
    "INVALID_REQUEST": lambda gate: gate.http.get(
        "/", headers={**ID, "transfer-encoding": "chunked", "content-length": "0"}
    ),
    "URI_TOO_LONG": lambda gate: gate.http.get("/" + "a" * 20_000, headers=ID),
    "HEADERS_TOO_LARGE": lambda gate: gate.http.get(
        "/", headers={**ID, **{f"x-{number}": "" for number in range(101)}}
    ),
    "NOT_STORED": not_stored,
}


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("code", sorted(STATUS))
async def test_an_error(open_gate, tmp_path, code, language):  # noqa: F811
    keys = tmp_path / "keys"
    keys.write_text(f"golden {hashlib.sha256(b'key').hexdigest()}\n")
    own = {
        "OVERLOADED": {"gateway_max_in_flight": 1},
        "NOT_STORED": {"gateway_feedback_file": str(tmp_path / "no" / "folder.db")},
        "UNAUTHENTICATED": {"gateway_api_keys_file": str(keys)},
        "RATE_LIMITED": {
            "gateway_api_keys_file": str(keys),
            "gateway_photos_burst": 1,
            "gateway_photos_per_minute": 0.5,
        },
    }
    gate = await open_gate(**own.get(code, {}))
    gate.http.headers["accept-language"] = language
    response = await PROVOKED[code](gate)
    assert response.json()["error"]["code"] == code
    assert response.status_code == STATUS[code]
    compare(f"error-{code.lower().replace('_', '-')}-{language}", response)
