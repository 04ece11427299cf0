import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from servicekit.acceptor import open_server
from servicekit.budget import MemoryBudget
from servicekit.channel import open_channel
from servicekit.interceptor import RequestInterceptor
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.metrics import Metrics

MAX_REQUEST_BYTES = 1_000_000

Behavior = Callable[[detector_pb2.DetectHoldsRequest, grpc.aio.ServicerContext], object]


class Servicer(detector_pb2_grpc.DetectorServiceServicer):
    """A detector whose answer the test gives."""

    def __init__(self, behavior: Behavior) -> None:
        self._behavior = behavior

    async def DetectHolds(self, request, context):
        return await self._behavior(request, context)


class Served:
    """A real server on a Unix socket with the real interceptor."""

    def __init__(self, target: str, interceptor: RequestInterceptor, metrics: Metrics, server: grpc.aio.Server) -> None:
        self.target = target
        self.interceptor = interceptor
        self.metrics = metrics
        self.server = server


@contextlib.asynccontextmanager
async def serve(
    behavior: Behavior, target: str, deadline_s: float = 5.0, inbox_bytes: int = 0, register=None
) -> AsyncIterator[Served]:
    memory = MemoryMeter(MemoryLimit(0, None))
    metrics = Metrics(memory)
    inbox = MemoryBudget(inbox_bytes, queue_limit=8)
    interceptor = RequestInterceptor(
        metrics, memory, deadline_s=deadline_s, inbox=inbox, max_request_bytes=MAX_REQUEST_BYTES
    )
    server = open_server([interceptor], [("grpc.max_receive_message_length", MAX_REQUEST_BYTES)])
    detector_pb2_grpc.add_DetectorServiceServicer_to_server(Servicer(behavior), server)
    if register is not None:
        register(server)
    server.add_insecure_port(target)
    await server.start()
    try:
        yield Served(target, interceptor, metrics, server)
    finally:
        await server.stop(0)


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"unix:{tmp_path}/s.sock"


@pytest.fixture
def start():
    return serve


@pytest.fixture
def call():
    """Call a served detector once through a real channel."""

    async def detect(target: str, *, timeout: float | None = None, metadata=(), **fields):
        async with open_channel(target) as channel:
            stub = detector_pb2_grpc.DetectorServiceStub(channel)
            return await stub.DetectHolds(detector_pb2.DetectHoldsRequest(**fields), timeout=timeout, metadata=metadata)

    return detect
