import asyncio
import contextlib
import socket
import sys

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from servicekit import probe


@contextlib.asynccontextmanager
async def health_server(address, status):
    server = grpc.aio.server()
    checks = health.aio.HealthServicer()
    await checks.set("", status)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def run_probe(*arguments):
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "servicekit.probe", *arguments)
    return await process.wait()


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [
        (health_pb2.HealthCheckResponse.SERVING, 0),
        (health_pb2.HealthCheckResponse.NOT_SERVING, 1),
        (health_pb2.HealthCheckResponse.UNKNOWN, 1),
    ],
)
async def test_the_exit_code_tells_the_health_of_the_server(status, exit_code):
    async with health_server("127.0.0.1:0", status) as port:
        assert await run_probe(f"127.0.0.1:{port}") == exit_code


async def test_a_unix_socket_can_be_probed(tmp_path):
    address = f"unix:{tmp_path}/grpc.sock"
    async with health_server(address, health_pb2.HealthCheckResponse.SERVING):
        assert await asyncio.to_thread(probe.serves, address)


async def test_a_server_without_health_does_not_serve():
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    assert not await asyncio.to_thread(probe.serves, f"127.0.0.1:{port}")
    await server.stop(None)


def test_a_port_where_nothing_listens_does_not_serve():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert not probe.serves(f"127.0.0.1:{port}")


def test_a_server_that_never_answers_does_not_serve():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not probe.serves(f"127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.1)


async def test_a_missing_address_is_explained():
    assert await run_probe() == 2


async def test_the_probe_loads_no_grpc():
    check = "import sys, servicekit.probe; sys.exit('grpc' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", check)
    assert await process.wait() == 0
