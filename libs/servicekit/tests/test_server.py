import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import grpc
import pytest
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from climbmate.status.v1 import status_pb2, status_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from servicekit.channel import open_channel

SLOW_SERVICE = """
import asyncio, contextlib, os, sys
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from servicekit.server import Loaded, Service, run
from servicekit import settings
from servicekit.settings import ServiceSettings

class Slow(detector_pb2_grpc.DetectorServiceServicer):
    async def DetectHolds(self, request, context):
        await asyncio.sleep(1)
        return detector_pb2.DetectHoldsResponse()

@contextlib.asynccontextmanager
async def opened(lifecycle):
    yield Loaded(
        lambda server: detector_pb2_grpc.add_DetectorServiceServicer_to_server(Slow(), server),
        ["climbmate.detector.v1.DetectorService"],
    )

settings = ServiceSettings(drain_wait_s=0.3)
sys.exit(run(Service("servicekit", settings, sys.argv[1], "", opened)))
"""


@contextlib.asynccontextmanager
async def started(target: str, settings: str = "ServiceSettings(drain_wait_s=0.3)"):
    code = SLOW_SERVICE.replace("ServiceSettings(drain_wait_s=0.3)", settings)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, target, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def health(target: str) -> int:
    """Ask over a plain channel: one of ours would send nothing to a service that says it is not serving."""
    async with grpc.aio.insecure_channel(target) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        return answer.status


async def test_sigterm_in_a_slow_call_turns_unready_first_lets_the_call_finish_and_exits_with_0(target):
    async with started(target) as process, open_channel(target) as channel:
        assert await health(target) == health_pb2.HealthCheckResponse.SERVING
        stub = detector_pb2_grpc.DetectorServiceStub(channel)
        slow = asyncio.create_task(stub.DetectHolds(detector_pb2.DetectHoldsRequest()).wait_for_connection())
        call = stub.DetectHolds(detector_pb2.DetectHoldsRequest())
        await slow
        await asyncio.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        assert await health(target) == health_pb2.HealthCheckResponse.NOT_SERVING
        assert await call == detector_pb2.DetectHoldsResponse()
        output, errors = await asyncio.wait_for(process.communicate(), 5)
        assert process.returncode == 0, errors
        assert b"Traceback" not in output + errors


async def test_the_status_tells_memory_and_release(target):
    async with started(target), open_channel(target) as channel:
        stub = status_pb2_grpc.StatusServiceStub(channel)
        status = await stub.GetStatus(status_pb2.GetStatusRequest(), wait_for_ready=True)
    assert status.service == "servicekit"
    assert status.version == "0.1.0"
    assert status.memory.used_bytes >= status.memory.floor_bytes * 0.5 > 0


async def test_the_status_tells_the_level_and_how_calls_went(target):
    limited = "ServiceSettings(memory_limit_mb=20)"
    async with started(target, limited), open_channel(target) as channel:
        stub = detector_pb2_grpc.DetectorServiceStub(channel)
        await stub.DetectHolds(detector_pb2.DetectHoldsRequest(), wait_for_ready=True)
        slow = asyncio.create_task(stub.DetectHolds(detector_pb2.DetectHoldsRequest()).wait_for_connection())
        await asyncio.sleep(0.2)
        status = await status_pb2_grpc.StatusServiceStub(channel).GetStatus(status_pb2.GetStatusRequest())
        await slow
    assert status.memory.level == status_pb2.MEMORY_LEVEL_CRITICAL
    assert status.in_flight == 1
    assert (status.activity.requests, status.activity.refused) == (1, 0)
    assert 1000 <= status.activity.p50_ms < 2000


async def test_a_taken_port_ends_the_start_with_one_clear_line(tmp_path: Path):
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with started(f"127.0.0.1:{port}") as process:
        output, _ = await asyncio.wait_for(process.communicate(), 10)
    await server.stop(0)
    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}".encode() in output
    assert b"Traceback" not in output


def test_importing_any_module_does_nothing():
    package = Path(__file__).parents[1] / "src/servicekit"
    names = sorted(f"servicekit.{path.stem}" for path in package.glob("*.py") if path.stem != "probe")
    assert names
    code = f"import importlib, threading; [importlib.import_module(name) for name in {names}]"
    code += "; assert threading.active_count() == 1"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-W", "error", "-c", code]) == 0


@pytest.mark.parametrize("module", ["numpy", "onnxruntime", "cv2"])
def test_servicekit_does_not_bring_arrays_or_models(module):
    code = f"import sys, servicekit.server, servicekit.channel, servicekit.work; sys.exit({module!r} in sys.modules)"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0


async def test_debug_memory_tells_the_largest_holders_at_a_signal(target, monkeypatch):
    monkeypatch.setenv("DEBUG_MEMORY", "1")
    async with started(target, settings="settings.read(ServiceSettings, prefix='X_', environ=os.environ)") as process:
        await health(target)
        process.send_signal(signal.SIGUSR1)
        await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        output, errors = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0, errors
    assert b'"event":"allocations"' in output
    assert b" MB in " in output
