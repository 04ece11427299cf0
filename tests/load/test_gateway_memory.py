"""The gateway within the small profile's memory limit: the largest photos, answered with the most and largest holds."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import httpx
import pytest
import yaml
from climbmate.analyzer.v1 import analyzer_pb2, analyzer_pb2_grpc
from climbmate_client.local.cgroup import MemoryCgroup
from servicekit.limits import MAX_PHOTO_BYTES

ROOT = Path(__file__).parents[2]
JPEG = b"\xff\xd8\xff\xe0"
GATEWAY = next(
    part
    for part in yaml.safe_load_all((ROOT / "k8s/overlays/small/memory.yaml").read_text())
    if part["metadata"]["name"] == "climbmate-gateway"
)["spec"]["template"]["spec"]["containers"][0]
LIMIT_BYTES = int(GATEWAY["resources"]["limits"]["memory"].removesuffix("Mi")) << 20
SETTINGS = {variable["name"]: variable["value"] for variable in GATEWAY["env"]}

pytestmark = pytest.mark.skipif(not MemoryCgroup.available(), reason="needs root, for a memory limit")


@pytest.fixture
def limited(tmp_path):
    """A gateway within its limit: its cgroup, its HTTP client, its gRPC address."""
    services, rpc = f"unix:{tmp_path}/s", f"unix:{tmp_path}/g"
    with socket.create_server(("127.0.0.1", 0)) as free:
        http = f"127.0.0.1:{free.getsockname()[1]}"
    own = {"GATEWAY_LISTEN": http, "GATEWAY_GRPC_LISTEN": rpc, "REQUEST_DEADLINE_S": "60", "LOG_LEVEL": "WARNING"}
    own |= {"GATEWAY_DETECTOR_TARGET": services, "GATEWAY_COLORIZER_TARGET": services} | SETTINGS
    instant = [sys.executable, "-m", "bench.instant_services", services, "--holds", "300", "--side-px", "96"]
    with (
        MemoryCgroup("gateway", LIMIT_BYTES) as cgroup,
        subprocess.Popen(instant, cwd=ROOT) as behind,
        subprocess.Popen(
            cgroup.wrap([sys.executable, "-m", "gateway"]), env={"PATH": os.environ["PATH"], **own}
        ) as gateway,
        httpx.Client(base_url=f"http://{http}", timeout=60, transport=httpx.HTTPTransport(retries=8)) as client,
    ):
        try:
            _wait_ready(client)
            yield cgroup, client, rpc
        finally:
            gateway.terminate()
            behind.terminate()


def _wait_ready(client):
    for _ in range(200):
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the gateway did not become ready")


def test_the_largest_photos_over_http(limited):
    cgroup, client, _ = limited

    def analyzed(_):
        photo = JPEG + bytes(MAX_PHOTO_BYTES - len(JPEG))
        headers = {"content-type": "image/jpeg", "cache-control": "no-cache"}
        return client.post("/api/analyze", content=photo, params={"max_holds": 300}, headers=headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(analyzed, range(4))) == [200] * 4
    assert cgroup.oom_kills == 0


def test_many_small_photos_with_the_largest_answers(limited):
    cgroup, client, _ = limited

    def analyzed(_):
        headers = {"content-type": "image/jpeg", "cache-control": "no-cache"}
        return client.post("/api/analyze", content=JPEG, params={"max_holds": 300}, headers=headers).status_code

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(analyzed, range(40))) == [200] * 40
    assert cgroup.oom_kills == 0


@pytest.mark.parametrize(("size_bytes", "told"), [(10_000_000, "OK"), (MAX_PHOTO_BYTES, "RESOURCE_EXHAUSTED")])
def test_large_photos_over_grpc(limited, size_bytes, told):
    cgroup, _, address = limited

    async def analyzed(analyzer):
        options = analyzer_pb2.AnalysisOptions(max_holds=300)
        try:
            await analyzer.AnalyzePhoto(
                analyzer_pb2.AnalyzePhotoRequest(photo=JPEG + bytes(size_bytes - len(JPEG)), options=options)
            )
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"

    async def all_analyzed():
        async with grpc.aio.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as channel:
            analyzer = analyzer_pb2_grpc.AnalyzerServiceStub(channel)
            return await asyncio.gather(*(analyzed(analyzer) for _ in range(4)))

    assert asyncio.run(all_analyzed()) == [told] * 4
    assert cgroup.oom_kills == 0
