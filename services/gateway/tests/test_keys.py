"""API keys: off unless a file is named, the same on both faces, each with an allowance of its own."""

import asyncio
import contextlib
import hashlib
import statistics
import subprocess
import sys
import time

import grpc
import pytest
from climbmate.analyzer.v1 import analyzer_pb2
from gateway.keys import Keyring
from servicekit.errors import RateLimited, Unauthenticated
from servicekit.rich_status import from_rpc_error
from servicekit.server import StartError


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def key_file(tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"# who may come in\nalice {digest('alices key')}\n\nbob {digest('bobs key')}  # a friend\n")
    return str(file)


@pytest.fixture
async def gate(open_gate, key_file):
    return await open_gate(gateway_api_keys_file=key_file, gateway_photos_burst=3, gateway_photos_per_minute=6.0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic alices key"},
        {"x-api-key": "é"},
    ],
)
async def test_without_a_right_key_nothing_is_read(gate, headers):
    response = await gate.analyze(headers={name: value.encode() for name, value in headers.items()})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    assert gate.detector.requests == []


@pytest.mark.parametrize(
    "headers",
    [{"authorization": "Bearer alices key"}, {"authorization": "bearer  bobs key"}, {"x-api-key": "bobs key"}],
)
async def test_a_right_key_opens_the_door(gate, headers):
    assert (await gate.analyze(headers=headers)).status_code == 200


async def test_all_of_the_api_is_behind_the_door(gate):
    paths = (await gate.http.get("/openapi.json")).json()["paths"]
    statuses = {
        (method, path): (await gate.http.request(method, path.format(job_id="x"))).status_code
        for path, methods in paths.items()
        for method in methods
    }
    open_ones = {("get", path) for path in ("/livez", "/readyz", "/metrics", "/api/health")}
    assert {asked for asked, status in statuses.items() if status != 401} == open_ones
    assert len(statuses) > 10


async def test_where_nothing_is_served_no_key_is_asked_for(gate):
    assert (await gate.http.get("/api/anything")).status_code == 404
    assert (await gate.http.put("/api/palette")).status_code == 405


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/livez", "/readyz", "/metrics", "/api/health"])
async def test_pages_and_probes_are_for_everybody(gate, path):
    assert (await gate.http.get(path)).status_code == 200


async def test_the_file_holds_no_key_that_would_open(gate):
    assert (await gate.analyze(headers={"x-api-key": digest("alices key")})).status_code == 401


async def test_each_key_has_an_allowance_of_its_own(gate):
    alice, bob = {"x-api-key": "alices key"}, {"x-api-key": "bobs key"}
    assert [(await gate.analyze(headers=alice)).status_code for _ in range(3)] == [200] * 3
    spent = await gate.analyze(headers=alice)
    assert (spent.status_code, spent.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(spent.headers["retry-after"]) <= 10
    assert (await gate.analyze(headers=bob)).status_code == 200


async def test_an_allowance_comes_back_with_time():
    ring = Keyring([("alice", bytes(32))], per_minute=600, burst=2)
    ring.charge("alice")
    ring.charge("alice")
    with pytest.raises(RateLimited) as spent:
        ring.charge("alice")
    assert 0 < spent.value.retry_after_s <= 0.1
    await asyncio.sleep(spent.value.retry_after_s)
    ring.charge("alice")


async def test_all_that_is_posted_costs_and_nothing_else_does(gate):
    alice, paths = {"x-api-key": "alices key"}, (await gate.http.get("/openapi.json")).json()["paths"]
    for _ in range(3):
        await gate.analyze(headers=alice)
    costs = {
        method
        for path, methods in paths.items()
        for method in methods
        if (await gate.http.request(method, path.format(job_id="x"), headers=alice)).status_code == 429
    }
    assert costs == {"post"}
    posted = [path for path, methods in paths.items() if "post" in methods]
    assert {(await gate.http.post(path, headers=alice)).status_code for path in posted} == {429}


async def test_asking_for_a_job_costs_nothing(gate):
    codes = {(await gate.http.get("/api/jobs/x", headers={"x-api-key": "bobs key"})).status_code for _ in range(10)}
    assert codes == {404}


async def test_grpc_asks_for_the_same_keys_before_it_reads_a_photo(gate, jpeg):
    request = analyzer_pb2.AnalyzePhotoRequest(photo=jpeg)
    async with gate.analyzer() as analyzer:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await analyzer.AnalyzePhoto(request, metadata=(("authorization", "Bearer wrong"),))
        assert failed.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert from_rpc_error(failed.value).reason == "UNAUTHENTICATED"
        right = (("authorization", "Bearer bobs key"),)
        calls = [analyzer.AnalyzePhoto(request, metadata=right) for _ in range(9)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert len(answers) - len(refused) >= 3
    assert {from_rpc_error(error).reason for error in refused} == {"RATE_LIMITED"}


def test_a_wrong_key_takes_as_long_as_a_right_one():
    keys = [f"key-{number}-{'x' * 30}" for number in range(200)]
    ring = Keyring([(key[:9], bytes.fromhex(digest(key))) for key in keys], per_minute=1, burst=1)

    def spent_us(key):
        start = time.perf_counter_ns()
        with contextlib.suppress(Unauthenticated):
            ring.admit(key)
        return (time.perf_counter_ns() - start) / 1000

    kinds = {"first": keys[0], "last": keys[-1], "wrong": "key-0-" + "y" * 30}
    rounds = {name: [] for name in kinds}
    for _ in range(300):
        for name, key in kinds.items():
            rounds[name].append(spent_us(key))
    medians = {name: statistics.median(spent) for name, spent in rounds.items()}
    assert max(medians.values()) < 1.25 * min(medians.values()), medians


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no API keys"),
        ("# nobody\n", "no API keys"),
        ("alice secret\n", "line 1"),
        (f"alice {'a' * 64}\nbob\n", "line 2"),
        (f"alice {'a' * 64}\nalice {'b' * 64}\n", "twice"),
        (None, "cannot read"),
    ],
)
def test_a_bad_file_of_keys_stops_the_start(tmp_path, content, said):
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
    with pytest.raises(StartError, match=said):
        Keyring.open(str(file), per_minute=1, burst=1)


def test_the_command_makes_a_key_that_opens(tmp_path):
    made = subprocess.run([sys.executable, "-m", "gateway.keys", "carol"], capture_output=True, text=True, check=True)
    file = tmp_path / "keys"
    file.write_text(made.stdout)
    key = made.stderr.splitlines()[1]
    assert len(key) >= 43
    assert Keyring.open(str(file), per_minute=1, burst=1).admit(f"Bearer {key}") == "carol"


def test_the_command_says_how_it_is_used():
    assert (
        subprocess.run([sys.executable, "-m", "gateway.keys", "a b"], capture_output=True, check=False).returncode == 2
    )
