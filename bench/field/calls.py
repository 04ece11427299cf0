"""Calls over gRPC that no client of ours makes."""

from collections.abc import Callable, Iterator

import grpc
from climbmate.analyzer.v1 import analyzer_pb2, analyzer_pb2_grpc
from climbmate_client.errors import ClimbmateError, RefusedError
from climbmate_client.grpc_client import GrpcClient
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from bench.field.rows import Row

KIND = "gRPC"
_SERVICE = "/climbmate.analyzer.v1.AnalyzerService"
_TIMEOUT_S = 30
_STREAMS = 21
_TOO_LARGE_BYTES = 25 << 20


def call_rows(target: str, photo: bytes) -> Iterator[Row]:
    """Make the calls, and judge how each ends.

    Args:
        target: The gateway's gRPC address.
        photo: One that is answered.
    """
    with grpc.insecure_channel(target, options=[("grpc.max_send_message_length", -1)]) as channel:
        analyzer = analyzer_pb2_grpc.AnalyzerServiceStub(channel)
        yield _too_large(target)
        yield _row("no protobuf", "INVALID_ARGUMENT INVALID_PARAMETER", _raw(channel, f"{_SERVICE}/AnalyzePhoto"))
        yield _row("health, List", "OK", _raw(channel, "/grpc.health.v1.Health/List", b""))
        yield _row("an unknown method", "UNIMPLEMENTED", _raw(channel, f"{_SERVICE}/Brew"))
        yield _cancelled(analyzer, photo)


def _too_large(target: str) -> Row:
    """A photo above the largest message, which gRPC itself refuses, without details; the client says what it means."""
    came = "OK"
    with GrpcClient(target) as climbmate:
        try:
            climbmate.analyze(b"\xff\xd8" + bytes(_TOO_LARGE_BYTES))
        except RefusedError as error:
            came = error.code
        except ClimbmateError as error:
            came = type(error).__name__
    return Row(KIND, "a photo of 25 MiB", "IMAGE_TOO_LARGE", came, came == "IMAGE_TOO_LARGE")


def _row(name: str, right: str, call: Callable[[], object]) -> Row:
    came = _ended(call)
    return Row(KIND, name, right, came, came == right)


def _ended(call: Callable[[], object]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return f"{error.code().name} {_reason(error)}".strip()
    return "OK"


def _reason(error: grpc.RpcError) -> str:
    """The reason in the status's ErrorInfo; empty where there is none."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def _raw(channel: grpc.Channel, method: str, message: bytes = b"\xff" * 40) -> Callable[[], object]:
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return lambda: call(message, timeout=_TIMEOUT_S)


def _cancelled(analyzer: analyzer_pb2_grpc.AnalyzerServiceStub, photo: bytes) -> Row:
    """Streams whose callers leave after the first message; what the gateway made of it is in its log."""
    request = analyzer_pb2.StreamAnalysisRequest(photo=photo)
    codes = set()
    for _ in range(_STREAMS):
        stream = analyzer.StreamAnalysis(request, timeout=_TIMEOUT_S)
        next(stream)
        stream.cancel()
        codes.add(stream.code().name)
    came = ", ".join(sorted(codes))
    return Row(KIND, f"{_STREAMS} streams left after a message", "CANCELLED", came, codes == {"CANCELLED"})
