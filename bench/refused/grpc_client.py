"""Every kind of call over gRPC that is refused, each call another one."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc
from climbmate.analyzer.v1 import analyzer_pb2
from grpc_health.v1 import health_pb2

from bench.refused.kinds import JPEG, KEY

CLIENTS = 8
_ANALYZE = "/climbmate.analyzer.v1.AnalyzerService/AnalyzePhoto"
_ADMITTED = (("authorization", f"Bearer {KEY}"),)
_TIMEOUT_S = 20.0
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call.

    Attributes:
        name: What is wrong with it.
        method: Its path, by number.
        codes: Names of the status codes that it may end with.
        request: Its message as bytes, by number.
        metadata: What goes with it, by number.
        leaves: Whether the client cancels it once its first answer is there; it is a stream of answers then.
        one_in: For how many calls of other kinds there is one of this.
    """

    name: str
    method: Callable[[int], str]
    codes: tuple[str, ...]
    request: Callable[[int], bytes] = lambda _: b""
    metadata: Callable[[int], Metadata] = lambda _: _ADMITTED
    leaves: bool = False
    one_in: int = 1


def _photo(number: int) -> bytes:
    return analyzer_pb2.AnalyzePhotoRequest(photo=JPEG + number.to_bytes(8)).SerializeToString()


def _service(number: int) -> bytes:
    message: bytes = health_pb2.HealthCheckRequest(service=f"service-{number}").SerializeToString()
    return message


GRPC = (
    Call("unknown method", lambda n: f"/climbmate.analyzer.v1.AnalyzerService/M{n}", ("UNIMPLEMENTED",)),
    Call("unknown service", lambda n: f"/climbmate.x{n}.v1.Service/Get", ("UNIMPLEMENTED",)),
    Call("wrong key", lambda _: _ANALYZE, ("UNAUTHENTICATED",), _photo, lambda n: (("authorization", f"wrong-{n}"),)),
    Call("no protobuf", lambda _: _ANALYZE, ("INVALID_ARGUMENT", "INTERNAL"), lambda n: b"\xff" * 9 + n.to_bytes(8)),
    Call("no photo", lambda _: _ANALYZE, ("INVALID_ARGUMENT",), lambda n: b"\x0a\x08" + n.to_bytes(8)),
    Call(
        "strange metadata",
        lambda _: _ANALYZE,
        ("INVALID_ARGUMENT",),
        metadata=lambda n: (*_ADMITTED, (f"x-{n}", "y" * 4000), ("x-request-id", f"{n} " * 100)),
    ),
    Call(
        "too much metadata",
        lambda _: _ANALYZE,
        ("RESOURCE_EXHAUSTED", "INTERNAL", "UNAVAILABLE"),
        metadata=lambda n: (*_ADMITTED, (f"x-{n}", "y" * 20_000)),
        one_in=20,  # each costs its connection, which the client opens anew after a fifth of a second
    ),
    Call("health of an unknown service", lambda _: "/grpc.health.v1.Health/Check", ("NOT_FOUND", "OK"), _service),
    Call("watch of an unknown service", lambda _: "/grpc.health.v1.Health/Watch", ("OK",), _service, leaves=True),
)
"""All kinds over gRPC."""


async def call_all(address: str, call: Call, numbers: range) -> Counter[str]:
    """Make the calls of a kind with these numbers; how many ended with each code, `OK` for those whose client left."""
    codes: Counter[str] = Counter()
    left = iter(numbers[:: call.one_in])
    async with grpc.aio.insecure_channel(address) as channel:
        await asyncio.gather(*(_client(channel, call, left, codes) for _ in range(CLIENTS)))
    return codes


async def _client(channel: grpc.aio.Channel, call: Call, numbers: Iterator[int], codes: Counter[str]) -> None:
    for number in numbers:
        method, request, metadata = call.method(number), call.request(number), call.metadata(number)
        try:
            if call.leaves:
                watching: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(method)
                watch = watching(request, metadata=metadata, timeout=_TIMEOUT_S)
                await watch.read()
                watch.cancel()
            else:
                asking: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
                await asking(request, metadata=metadata, timeout=_TIMEOUT_S)
            codes["OK"] += 1
        except grpc.aio.AioRpcError as error:
            codes[error.code().name] += 1
