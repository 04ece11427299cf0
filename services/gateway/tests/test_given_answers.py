"""A correction is taken only for an answer that its caller was given, over any face, and overwrites no other."""

import asyncio
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from climbmate.analyzer.v1 import analyzer_pb2
from gateway.feedback import rows
from gateway.feedback_file import (
    ANSWER_BYTES,
    MAX_PER_ANSWER,
    MAX_PER_HOLD,
    Correction,
    FeedbackFile,
    GivenAnswer,
)
from gateway.feedback_store import MAX_PENDING, FeedbackStore
from gateway.web import answers, feedback_body
from servicekit.errors import NotFound, NotStored

JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
JSON = {"content-type": "application/json"}


async def correct(gate, request_id, hold_id=0, *, color="red", **headers):
    body = {"request_id": request_id, "hold_id": hold_id, "color": color}
    return await gate.http.post("/api/feedback", json=body, headers=headers)


def words(gate, *, every=True):
    return [row[:3] for row in rows(Path(gate.settings.gateway_feedback_file), every=every)]


def details_of(response, status, code):
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text
    return response.json()["error"]["details"]


async def post(gate, path, **headers):
    sent = {"content-type": "image/jpeg", "x-request-id": "mine", **headers}
    return await gate.http.post(path, content=JPEG, headers=sent)


async def over_json(gate):
    assert (await post(gate, "/api/analyze")).json()["request_id"] == "mine"


async def over_events(gate):
    assert '"request_id":"mine"' in (await post(gate, "/api/analyze-stream")).text


async def over_svg(gate):
    response = await post(gate, "/api/analyze", accept="image/svg+xml")
    assert response.text.startswith("<svg")
    assert response.headers["x-request-id"] == "mine"


async def over_a_job(gate):
    job = (await post(gate, "/api/analyze", prefer="respond-async", **{"x-request-id": "first"})).json()
    while polled := (await gate.http.get(f"/api/jobs/{job['id']}", headers={"x-request-id": "mine"})).json():
        if polled["status"] == "done":
            break
        await asyncio.sleep(0.01)
    assert polled["result"]["request_id"] == "mine"


async def over_a_jobs_events(gate):
    job = (await post(gate, "/api/analyze", prefer="respond-async", **{"x-request-id": "first"})).json()
    told = await gate.http.get(job["events_url"], headers={"x-request-id": "mine"})
    assert '"request_id":"mine"' in told.text


async def over_a_batch(gate):
    files = [("image", ("a.jpg", JPEG, "image/jpeg"))] * 2
    response = await gate.http.post("/api/analyze-batch", files=files, headers={"x-request-id": "many"})
    assert {json.loads(line)["result"]["request_id"] for line in response.text.splitlines()[:2]} == {"many-0", "many-1"}
    return "many-1"


async def over_grpc(gate):
    async with gate.analyzer() as stub:
        metadata = (("x-request-id", "mine"),)
        answer = await stub.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=JPEG), metadata=metadata)
    assert answer.request_id == "mine"


async def over_grpc_step_by_step(gate):
    async with gate.analyzer() as stub:
        request = analyzer_pb2.StreamAnalysisRequest(photo=JPEG)
        assert [step async for step in stub.StreamAnalysis(request, metadata=(("x-request-id", "mine"),))]


FACES = (
    over_json,
    over_events,
    over_svg,
    over_a_job,
    over_a_jobs_events,
    over_a_batch,
    over_grpc,
    over_grpc_step_by_step,
)


@pytest.mark.parametrize("face", FACES)
async def test_an_answer_may_be_corrected_over_whichever_face_it_was_given(open_gate, face):
    gate = await open_gate(gateway_remember_s=600.0)
    assert details_of(await correct(gate, "mine"), 404, "NOT_FOUND")["request_id"]
    request_id = await face(gate) or "mine"
    assert (await correct(gate, request_id, 4)).status_code == 201
    assert "5 holds" in details_of(await correct(gate, request_id, 5), 422, "INVALID_PARAMETER")["hold_id"]
    assert words(gate) == [(request_id, 4, "red")]


async def test_who_follows_anothers_job_corrects_its_own_answer(open_gate):
    gate = await open_gate(gateway_remember_s=600.0)
    for name in ("one", "two"):
        assert (await post(gate, "/api/analyze", **{"x-request-id": name})).status_code == 200
    assert len(gate.detector.requests) == 1
    for name, status in (("one", 201), ("two", 201), ("three", 404)):
        assert (await correct(gate, name)).status_code == status


async def test_a_request_that_was_not_answered_cannot_be_corrected(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    await post(gate, "/api/analyze", **{"x-request-deadline-ms": "100"})
    assert (await correct(gate, "mine")).status_code == 404
    assert (await post(gate, "/api/analyze?max_hold=1")).status_code == 422
    assert (await correct(gate, "mine")).status_code == 404


async def test_a_wall_without_holds_has_none_to_correct(gate):
    gate.detector.holds = []
    await over_json(gate)
    assert "0 holds" in details_of(await correct(gate, "mine"), 422, "INVALID_PARAMETER")["hold_id"]


@pytest.fixture
def keys(tmp_path):
    file = tmp_path / "keys"
    file.write_text("".join(f"{name} {hashlib.sha256(name.encode()).hexdigest()}\n" for name in ("ann", "bob")))
    return {"gateway_api_keys_file": str(file)}


async def test_nobody_corrects_what_was_answered_to_another_key(open_gate, keys):
    gate = await open_gate(**keys)
    ann, bob = {"authorization": "Bearer ann"}, {"x-api-key": "bob"}
    await post(gate, "/api/analyze", **ann)
    assert (await correct(gate, "mine", **ann)).status_code == 201
    details_of(await correct(gate, "mine", color="unknown", **bob), 404, "NOT_FOUND")
    await post(gate, "/api/analyze", **bob)  # takes the same id for an answer of its own
    assert (await correct(gate, "mine", color="unknown", **bob)).status_code == 201
    file = Path(gate.settings.gateway_feedback_file)
    assert [(row[2], row[-2]) for row in rows(file)] == [("red", "ann"), ("unknown", "bob")]


async def test_a_key_over_grpc_is_the_same_caller(open_gate, keys):
    gate = await open_gate(**keys)
    async with gate.analyzer() as stub:
        metadata = (("x-request-id", "mine"), ("authorization", "Bearer ann"))
        await stub.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=JPEG), metadata=metadata)
    assert (await correct(gate, "mine", authorization="Bearer bob")).status_code == 404
    assert (await correct(gate, "mine", authorization="Bearer ann")).status_code == 201


async def test_the_last_word_counts_and_every_word_is_kept(gate):
    await over_json(gate)
    for color in ("red", "unknown", "red"):
        assert (await correct(gate, "mine", color=color)).status_code == 201
    assert (await correct(gate, "mine", color="red")).status_code == 201  # a retry does no harm
    assert words(gate) == [("mine", 0, "red"), ("mine", 0, "unknown"), ("mine", 0, "red")]
    assert words(gate, every=False) == [("mine", 0, "red")]


def file_with(folder, *given, max_bytes=10**6):
    file = FeedbackFile(folder / "f.db", max_bytes=max_bytes)
    file.remember(given)
    return file


def word(number, hold_id=0, request_id="a", caller=""):
    return Correction(request_id=request_id, hold_id=hold_id, color=f"red{number}", caller=caller)


def test_a_hold_and_an_answer_are_corrected_so_often_and_no_more(tmp_path):
    file = file_with(tmp_path, GivenAnswer("", "a", 300), GivenAnswer("", "b", 300))
    for number in range(MAX_PER_HOLD):
        file.put(word(number))
    with pytest.raises(Exception, match="too often") as told:
        file.put(word("over"))
    assert "hold_id" in told.value.details
    file.put(word(MAX_PER_HOLD - 1))  # the same again is no other
    for number in range(MAX_PER_HOLD, MAX_PER_ANSWER):
        file.put(word(number, hold_id=number % 299 + 1))
    with pytest.raises(Exception, match="too often") as told:
        file.put(word("over", hold_id=299))
    assert "request_id" in told.value.details
    file.put(word(0, request_id="b"))
    assert len(list(rows(tmp_path / "f.db", every=True))) == MAX_PER_ANSWER + 1


def test_the_oldest_answers_are_forgotten_and_no_correction(tmp_path):
    most = 400_000 // 4 // ANSWER_BYTES
    file = file_with(tmp_path, GivenAnswer("", "first", 1), max_bytes=400_000)
    file.put(word(0, request_id="first"))
    for start in range(0, 20 * most, 100):
        file.remember([GivenAnswer("x" * 64, f"{number:064}", 300) for number in range(start, start + 100)])
    with pytest.raises(NotFound):
        file.put(word(1, request_id="first"))
    assert len(list(rows(tmp_path / "f.db"))) == 1
    with sqlite3.connect(tmp_path / "f.db") as database:
        assert database.execute("SELECT count(*) FROM answers").fetchone() == (most,)
    database.close()
    assert (tmp_path / "f.db").stat().st_size < 400_000 / 4 + 5 * 4096  # each table's last page, and SQLite's own


def test_an_id_that_is_given_again_is_as_new_and_has_the_holds_of_both(tmp_path):
    most = 400_000 // 4 // ANSWER_BYTES
    file = file_with(tmp_path, GivenAnswer("", "a", 9), GivenAnswer("", "b", 9), max_bytes=400_000)
    file.remember([GivenAnswer("", str(number), 1) for number in range(most - 2)])
    file.remember([GivenAnswer("", "a", 2), GivenAnswer("", "new", 1)])
    file.put(word(0, hold_id=8))
    with pytest.raises(NotFound):
        file.put(word(0, request_id="b"))


OLD = """
CREATE TABLE feedback (
    request_id TEXT NOT NULL, hold_id INTEGER NOT NULL, color TEXT NOT NULL, was TEXT, confidence REAL,
    red INTEGER, green INTEGER, blue INTEGER, x_min REAL, y_min REAL, x_max REAL, y_max REAL,
    width INTEGER, height INTEGER, photo_sha256 TEXT, caller TEXT NOT NULL, at_unix_s REAL NOT NULL,
    PRIMARY KEY (request_id, hold_id)
) WITHOUT ROWID
"""


def write_old(file, *corrections):
    """As version 0.1.0 does."""
    with sqlite3.connect(file) as database:
        database.execute(OLD.replace("TABLE", "TABLE IF NOT EXISTS"))
        for request_id, hold_id, color in corrections:
            row = (request_id, hold_id, color, *(None,) * 12, "", time.time())
            database.execute(f"INSERT OR REPLACE INTO feedback VALUES ({', '.join('?' * 17)})", row)
    database.close()


def test_a_file_of_version_0_1_0_goes_on_and_loses_nothing(tmp_path):
    write_old(tmp_path / "f.db", ("old", 0, "red"), ("a", 0, "pink"))
    assert [row[:3] for row in rows(tmp_path / "f.db")] == [("old", 0, "red"), ("a", 0, "pink")]
    file = file_with(tmp_path, GivenAnswer("", "a", 2))
    file.put(word("", hold_id=0))
    write_old(tmp_path / "f.db", ("b", 0, "blue"))  # the old gateway in the middle of a rollout
    file.put(word("", hold_id=1))
    assert [row[:3] for row in rows(tmp_path / "f.db")] == [
        ("old", 0, "red"),
        ("a", 0, "red"),
        ("b", 0, "blue"),
        ("a", 1, "red"),
    ]
    assert len(list(rows(tmp_path / "f.db", every=True))) == 5


def test_a_full_file_of_version_0_1_0_is_said_and_read(tmp_path):
    write_old(tmp_path / "f.db", *((f"{number:060}", 0, "red") for number in range(500)))
    size_bytes = (tmp_path / "f.db").stat().st_size
    file = FeedbackFile(tmp_path / "f.db", max_bytes=size_bytes)
    with pytest.raises(NotStored, match="full"):
        file.remember([GivenAnswer("", "a", 1)])
    assert len(list(rows(tmp_path / "f.db"))) == 500


async def test_an_answer_may_be_corrected_after_a_restart_and_at_the_next_gateway(open_gate, tmp_path):
    own = {"gateway_feedback_file": str(tmp_path / "f.db")}
    old = await open_gate(**own)
    await over_json(old)
    old.lifecycle.stop.set()  # what was answered in its last moment is written before it ends
    next_one = FeedbackStore(FeedbackFile(tmp_path / "f.db", max_bytes=10**6), count_forgotten=lambda: None)
    async with next_one.running(), asyncio.timeout(10):
        while True:
            try:
                await next_one.put(word("", request_id="mine"))
                break
            except NotFound:
                await asyncio.sleep(0.05)
    assert words(old) == [("mine", 0, "red")]


async def test_two_gateways_write_to_one_file(tmp_path):
    both = [
        FeedbackStore(FeedbackFile(tmp_path / "f.db", max_bytes=10**7), count_forgotten=lambda: None) for _ in range(2)
    ]
    async with both[0].running(), both[1].running():
        for number in range(60):
            both[number % 2].remember(GivenAnswer("", str(number), 1))
            await both[number % 2].put(word("", request_id=str(number)))
        await asyncio.gather(*(one.put(word(2, request_id=str(number))) for one in both for number in range(16)))
    assert len(list(rows(tmp_path / "f.db"))) == 60


async def test_answers_go_on_when_the_disk_does_not(open_gate, tmp_path):
    gate = await open_gate(gateway_feedback_file=str(tmp_path / "no" / "f.db"))
    await over_json(gate)
    details_of(await correct(gate, "mine"), 503, "NOT_STORED")
    (tmp_path / "no").mkdir()
    assert (await correct(gate, "mine")).status_code == 201  # nothing was forgotten meanwhile


async def test_what_waits_for_the_disk_is_bounded_and_what_is_lost_is_counted(open_gate, tmp_path):
    gate = await open_gate(gateway_feedback_file=str(tmp_path / "no" / "f.db"))
    lost = 0

    def count():
        nonlocal lost
        lost += 1

    store = FeedbackStore(FeedbackFile(tmp_path / "no" / "f.db", max_bytes=10**6), count_forgotten=count)
    async with store.running():
        for number in range(MAX_PENDING + 10):
            store.remember(GivenAnswer("", str(number), 1))
        assert lost == 10
        with pytest.raises(NotStored):
            await store.put(word("", request_id="0"))
        (tmp_path / "no").mkdir()
        with pytest.raises(NotFound):
            await store.put(word("", request_id="9"))
        await store.put(word("", request_id="10"))
    assert "climbmate_answers_forgotten_total 0.0" in (await gate.http.get("/metrics")).text


async def test_nobody_waits_long_for_a_file_that_somebody_holds(tmp_path):
    store = FeedbackStore(FeedbackFile(tmp_path / "f.db", max_bytes=10**6), count_forgotten=lambda: None)
    async with store.running():
        store.remember(GivenAnswer("", "a", 1))
        await store.put(word(0))
        holder = sqlite3.connect(tmp_path / "f.db")
        holder.execute("BEGIN EXCLUSIVE")
        start_s = time.perf_counter()
        told = await asyncio.gather(*(store.put(word(number)) for number in range(9)), return_exceptions=True)
        assert [type(one) for one in told] == [NotStored] * 9
        assert time.perf_counter() - start_s < 12
        holder.rollback()
        holder.close()
        await store.put(word(1))


@pytest.mark.parametrize("setting", ["", "none"])
async def test_without_a_file_nothing_is_remembered(open_gate, tmp_path, monkeypatch, setting):
    monkeypatch.chdir(tmp_path)
    gate = await open_gate(gateway_feedback_file=setting)
    await over_json(gate)
    assert (await correct(gate, "mine")).status_code == 404
    await asyncio.sleep(0.5)
    assert list(tmp_path.iterdir()) == []


NAMES = [
    "a?b.db",
    "a#b.db",
    "100%.db",
    "a%3fmode=memory.db",
    "with space.db",
    "의견.db",
    "?mode=ro",
    "a'b\".db",
    "&vfs=x",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("relative", [False, True])
def test_the_files_name_is_taken_as_it_is(tmp_path, monkeypatch, name, relative):
    monkeypatch.chdir(tmp_path)
    path = Path(name) if relative else tmp_path / name
    file = FeedbackFile.of(str(path), max_bytes=10**6)
    file.remember([GivenAnswer("", "a", 1)])
    file.put(word(""))
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert [row[:3] for row in rows(path)] == [("a", 0, "red")]


@pytest.mark.parametrize(
    "setting", [":memory:", "file:f.db", "file:///tmp/f.db?mode=memory", "FOLDER", "FOLDER/", "new/", "/dev/null"]
)
def test_what_is_no_file_stops_the_start(tmp_path, setting):
    setting = setting.replace("FOLDER", str(tmp_path))
    environ = {**os.environ, "GATEWAY_FEEDBACK_FILE": setting, "GATEWAY_LISTEN": f"unix:{tmp_path}/http"}
    environ["GATEWAY_GRPC_LISTEN"] = f"unix:{tmp_path}/grpc"
    command = [sys.executable, "-m", "gateway"]
    told = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 1
    assert "must be the path of a file" in json.loads(told.stdout.splitlines()[-1])["reason"]
    assert list(tmp_path.iterdir()) == []


async def test_corrections_without_keys_have_a_rate(open_gate):
    gate = await open_gate(gateway_feedback_per_minute=6)
    await over_json(gate)
    taken = [(await correct(gate, "mine", color=color)).status_code for color in ("red", "unknown") * 3]
    assert taken == [201] * 6
    refused = await correct(gate, "mine")
    details_of(refused, 429, "RATE_LIMITED")
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert (await post(gate, "/api/analyze")).status_code == 200


async def test_made_up_answers_are_charged_too(open_gate):
    gate = await open_gate(gateway_feedback_per_minute=1)
    assert (await correct(gate, "nothing")).status_code == 404
    assert (await correct(gate, "nothing")).status_code == 429


FORMS = [
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
]


FORMS = [
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
]


@pytest.mark.parametrize("kind", [*FORMS, "", "application/jsonp", "text/json", "application/json, text/plain"])
async def test_a_page_of_another_origin_cannot_send_corrections_unasked(gate, kind):
    await over_json(gate)
    body = json.dumps({"request_id": "mine", "hold_id": 0, "color": "red"})
    response = await gate.http.post("/api/feedback", content=body, headers={"content-type": kind} if kind else {})
    assert details_of(response, 415, "UNSUPPORTED_FORMAT")["content-type"] == (kind or "missing")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/json;"])
async def test_json_is_json_with_whatever_parameters(gate, kind):
    await over_json(gate)
    body = json.dumps({"request_id": "mine", "hold_id": 0, "color": "red"})
    assert (await gate.http.post("/api/feedback", content=body, headers={"content-type": kind})).status_code == 201


ODD = {
    b'"hold_id": 0, "color": "red", "confidence": NaN': "body",
    b'"hold_id": 0, "color": "red", "confidence": Infinity': "body",
    b'"hold_id": 0, "color": "red", "confidence": 1e400': "confidence",
    b'"hold_id": 1' + b"0" * 5000 + b', "color": "red"': "hold_id",
    b'"hold_id": 99999999999999999999, "color": "red"': "hold_id",
    b'"hold_id": 0.5, "color": "red"': "hold_id",
    b'"hold_id": "0", "color": "red"': "hold_id",
    b'"hold_id": true, "color": "red"': "hold_id",
    b'"hold_id": 0, "hold_id": 1, "color": "red"': "hold_id",
    b'"hold_id": 0, "color": "red", "col\\u006fr": "blue"': "color",
    b'"hold_id": 0, "color": "red", "image": {"width": 1, "width": 2, "height": 3}': "image",
    b'"hold_id": 0, "color": "red\\ud800"': "body",
    b'"hold_id": 0, "color": "red\xed\xa0\x80"': "color",
    b'"hold_id": 0, "color": "red\xff"': "body",
    b'"hold_id": 0, "color": "red\\u0000"': "color",
    b'"hold_id": 0, "color": null': "color",
    b'"hold_id": 0': "color",
    b'"hold_id": 0, "color": "red", "box": ' + b"[" * 7000 + b"]" * 7000: "body",
    b'"hold_id": 0, "color": "red", "x": ' + b'{"a":' * 3000 + b"1" + b"}" * 3000: "body",
    b'"hold_id": 0, "color": "red"' + b"".join(b', "%d": 1' % number for number in range(1200)): "0",
}


@pytest.mark.parametrize(("fields", "named"), ODD.items(), ids=range(len(ODD)))
async def test_odd_json_is_refused_by_the_fields_name(gate, fields, named):
    body = b'{"request_id": "mine", ' + fields + b"}"
    details = details_of(await gate.http.post("/api/feedback", content=body, headers=JSON), 422, "INVALID_PARAMETER")
    assert named in details
    assert len(details) <= 17
    assert not any(
        word in told for told in details.values() for word in ("Expected", "msgspec", "JSON is malformed", "`$")
    )


@pytest.mark.parametrize("around", [b"\xef\xbb\xbf%s", b"%s x", b"%s%s", b"[%s]", b'"%s"', b"%s\x00"])
async def test_a_body_that_is_no_object_alone_is_refused(gate, around):
    body = around.replace(b"%s", b'{"request_id": "mine", "hold_id": 0, "color": "red"}')
    details = details_of(await gate.http.post("/api/feedback", content=body, headers=JSON), 422, "INVALID_PARAMETER")
    assert details["body"] == "must be a JSON object in UTF-8"


def test_every_field_has_its_words():
    assert set(feedback_body.MUST) == set(answers.Feedback.__struct_fields__)
