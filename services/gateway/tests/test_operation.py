import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import msgspec
import pytest
from gateway.web import answers, reports


async def test_health_tells_models_and_memory_of_every_service(gate):
    response = await gate.http.get("/api/health")
    assert response.status_code == 200
    health = msgspec.json.decode(response.content, type=reports.Health)
    assert health.serving
    assert set(health.services) == {"gateway", "detector", "colorizer"}
    assert health.services["detector"] == reports.ServiceHealth(
        serving=True,
        version="0.1.0",
        models=["toy 0.1.0"],
        memory=reports.Memory(180, 200, 100, "critical"),
        in_flight=5,
        waiting=3,
        lately=reports.Lately(requests_per_s=2.5, p50_ms=40.0, p99_ms=90.0, refused=7),
    )
    assert health.services["gateway"].memory.used_bytes > 1_000_000


async def test_health_tells_how_analyses_went_and_how_many_wait(gate):
    await gate.analyze()
    gate.detector.before = lambda: asyncio.sleep(60)
    waiting = asyncio.create_task(gate.analyze())
    while len(gate.detector.requests) < 2:
        await asyncio.sleep(0.01)
    own = msgspec.json.decode((await gate.http.get("/api/health")).content, type=reports.Health).services["gateway"]
    assert (own.in_flight, own.waiting) == (1, 0)
    assert own.lately.p50_ms > 0
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_the_palette_is_the_colorizers_and_outlives_it(gate):
    expected = {"colors": [{"name": "red", "prompts": ["a red hold"], "rgb": [220, 38, 38]}]}
    assert (await gate.http.get("/api/palette")).json() == expected
    await gate.services["colorizer"].stop()
    assert (await gate.http.get("/api/palette")).json() == expected


async def test_without_ever_having_seen_a_colorizer_the_palette_is_unavailable(open_gate):
    gate = await open_gate(ready=False)
    response = await gate.http.get("/api/palette")
    assert response.status_code == 503
    assert response.headers["retry-after"]


async def test_probes_answer_in_milliseconds_while_analyses_wait(gate):
    gate.detector.before = lambda: asyncio.sleep(60)
    waiting = [asyncio.create_task(gate.analyze()) for _ in range(16)]
    while len(gate.detector.requests) < 16:
        await asyncio.sleep(0.01)
    for path in ("/livez", "/readyz", "/api/health"):
        start_s = time.perf_counter()
        assert (await gate.http.get(path)).status_code == 200
        assert time.perf_counter() - start_s < 0.1
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_metrics_count_requests_outcomes_holds_and_what_was_missing(gate):
    async def fail(ids):
        raise RuntimeError("planted")

    await gate.analyze()
    await gate.analyze(b"hello")
    gate.colorizer.before = fail
    await gate.analyze()
    text = (await gate.http.get("/metrics")).text
    assert 'climbmate_http_seconds_count{outcome="OK",route="/api/analyze"} 2.0' in text
    assert 'climbmate_http_seconds_count{outcome="INVALID_IMAGE",route="/api/analyze"} 1.0' in text
    assert 'climbmate_degraded_total{what="colors"} 1.0' in text
    assert "climbmate_holds_sum 10.0" in text
    assert "climbmate_analyses_in_flight 0.0" in text
    assert "climbmate_memory_used_bytes" in text


async def test_paths_that_nobody_serves_do_not_become_metrics(gate):
    for number in range(3):
        await gate.http.get(f"/invented/{number}")
    text = (await gate.http.get("/metrics")).text
    assert "invented" not in text
    assert 'climbmate_http_seconds_count{outcome="NOT_FOUND",route="unmatched"} 3.0' in text


async def test_while_draining_it_is_unready_but_still_answers(open_gate):
    gate = await open_gate(drain_wait_s=1.0)
    gate.lifecycle.ready = False
    assert (await gate.http.get("/readyz")).status_code == 503
    assert (await gate.analyze()).status_code == 200


async def test_small_answers_over_tcp_are_not_held_back(open_gate):
    gate = await open_gate(gateway_listen=f"127.0.0.1:{free_port()}")
    durations_s = []
    for _ in range(10):
        start_s = time.perf_counter()
        await gate.http.get("/livez")
        durations_s.append(time.perf_counter() - start_s)
    assert min(durations_s) < 0.03, "Nagle's algorithm waits 40 ms for the client's delayed ACK"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def start_process(**settings):
    environ = {"PATH": os.environ["PATH"], **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "gateway"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


async def test_sigterm_ends_the_process_with_code_0_after_the_request_in_flight(open_gate, jpeg):
    gate = await open_gate()
    port = free_port()
    process = start_process(
        GATEWAY_LISTEN=f"127.0.0.1:{port}",
        GATEWAY_GRPC_LISTEN=f"127.0.0.1:{free_port()}",
        GATEWAY_DETECTOR_TARGET=gate.services["detector"].target,
        GATEWAY_COLORIZER_TARGET=gate.services["colorizer"].target,
        DRAIN_WAIT_S="0.3",
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        for _ in range(400):
            try:
                if (await http.get("/readyz")).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
        gate.detector.before = lambda: asyncio.sleep(1.0)
        slow = asyncio.create_task(http.post("/api/analyze", content=jpeg, headers={"content-type": "image/jpeg"}))
        while not gate.detector.requests:
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.15)
        assert (await http.get("/readyz")).status_code == 503
        assert (await slow).status_code == 200
    log, _ = await asyncio.to_thread(process.communicate, timeout=10)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert msgspec.json.decode(log.splitlines()[-1])["event"] == "stopped"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"GATEWAY_CHUNK_HOLDS": "0"}, "GATEWAY_CHUNK_HOLDS"),
        ({"GATEWAY_LISTEN": "nowhere"}, "GATEWAY_LISTEN"),
        ({"GATEWAY_COLOUR_CALLS": "2"}, "GATEWAY_COLOUR_CALLS is not a setting"),
    ],
)
def test_bad_settings_stop_the_start_with_one_line(settings, said):
    process = start_process(**settings)
    log, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert said in log
    assert len(log.splitlines()) == 1


@pytest.mark.parametrize("setting", ["GATEWAY_LISTEN", "GATEWAY_GRPC_LISTEN"])
def test_a_taken_port_stops_the_start_with_one_line(setting):
    free = {"GATEWAY_LISTEN": f"127.0.0.1:{free_port()}", "GATEWAY_GRPC_LISTEN": f"127.0.0.1:{free_port()}"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start_process(**free | {setting: f"127.0.0.1:{taken.getsockname()[1]}"})
        log, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "cannot listen on" in log
    assert "Traceback" not in log


async def test_the_answer_decodes_as_its_documented_type(gate):
    assert msgspec.json.decode((await gate.http.get("/api/palette")).content, type=answers.Palette).colors
