"""When a dependency counts as gone."""

import contextlib
import dataclasses

import grpc
import pytest
from climbmate.status.v1 import status_pb2, status_pb2_grpc
from gateway.domain import ServiceStatus
from gateway.upstream import GrpcDescribed
from gateway.watch import Dependency
from servicekit.channel import open_channel
from servicekit.errors import Unavailable

STATUS = ServiceStatus(True, "1", (), 0, 0, 0, 0, 0.0)


class Scripted:
    """Answers look after look as the script says: `+` serves, `-` says that it does not, `x` does not answer."""

    def __init__(self, script):
        self._script = iter(script)

    async def describe(self, *, timeout_s):
        step = next(self._script)
        if step == "x":
            raise Unavailable("planted")
        return dataclasses.replace(STATUS, serves=step == "+")


@pytest.mark.parametrize(
    ("script", "serves"),
    [("", ""), ("x+", "-+"), ("+x+", "+++"), ("+-+", "+++"), ("+xx+", "++-+"), ("+x-x", "++--"), ("+x+x+", "+++++")],
)
async def test_only_two_failed_looks_in_a_row_count(script, serves):
    dependency = Dependency("detector", Scripted(script))
    seen = []
    for _ in script:
        await dependency.look()
        seen.append("+" if dependency.serves else "-")
    assert "".join(seen) == serves


class Replica(status_pb2_grpc.StatusServiceServicer):
    def __init__(self, used_bytes, *, draining):
        self.asked = 0
        self._answer = status_pb2.GetStatusResponse(memory={"used_bytes": used_bytes}, draining=draining)

    async def GetStatus(self, request, context):
        self.asked += 1
        return self._answer


@contextlib.asynccontextmanager
async def serving(replica):
    server = grpc.aio.server()
    status_pb2_grpc.add_StatusServiceServicer_to_server(replica, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


async def test_health_and_memory_are_those_of_one_replica():
    leaving, staying = Replica(111, draining=True), Replica(222, draining=False)
    async with serving(leaving) as one, serving(staying) as other, open_channel(f"ipv4:{one},{other}") as channel:
        service = GrpcDescribed(channel)
        told = [await service.describe(timeout_s=5) for _ in range(40)]
    assert leaving.asked
    assert staying.asked
    assert {(each.serves, each.memory_used_bytes) for each in told} == {(False, 111), (True, 222)}
