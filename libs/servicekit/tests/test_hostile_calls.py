"""What strangers send to a gRPC port: each call ends with its own status, and the next one is served."""

import asyncio
import contextlib
import random
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from climbmate.analyzer.v1 import analyzer_pb2, analyzer_pb2_grpc
from climbmate.colorizer.v1 import colorizer_pb2
from climbmate.detector.v1 import detector_pb2
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from servicekit import errors, probe
from servicekit.rich_status import from_rpc_error

from .toy import MAX_REQUEST_BYTES, SERVICES

DETECT = "/climbmate.detector.v1.DetectorService/DetectHolds"
COLOR = "/climbmate.colorizer.v1.ColorizerService/ColorHolds"
ANALYZE = "/climbmate.analyzer.v1.AnalyzerService/AnalyzePhoto"
STREAM = "/climbmate.analyzer.v1.AnalyzerService/StreamAnalysis"
MB = 1_000_000


class Toy:
    """A running service; `socket` is where it listens."""

    def __init__(self, folder, process, log):
        self.socket, self.target = f"{folder}/toy.sock", f"unix:{folder}/toy.sock"
        self._process, self._log = process, log

    def most_bytes(self):
        """The most memory that it has had since its start."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def log(self):
        return self._log.read_text()


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    log = folder / "log"
    with log.open("w") as lines:
        command = [sys.executable, Path(__file__).with_name("toy.py"), f"unix:{folder}/toy.sock"]
        process = subprocess.Popen(command, stdout=lines, stderr=lines)
    toy = Toy(folder, process, log)
    with grpc.insecure_channel(toy.target) as channel:
        grpc.channel_ready_future(channel).result(20)
    yield toy
    process.terminate()
    assert process.wait(10) == 0
    assert '"ERROR"' not in toy.log(), "a caller's mistake is no error of ours"


@pytest.fixture
async def channel(toy):
    unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(toy.target, options=unlimited) as channel:
        yield channel
        assert await channel.unary_unary(DETECT)(b"") == b"", "it serves on"


async def refusal(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def field(number, content):
    """A field of bytes or of a message, as protobuf writes it."""
    size, varint = len(content), b""
    while size >= 128:
        varint, size = varint + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + varint + bytes([size]) + content


NO_MESSAGES = {
    "noise": (DETECT, random.Random(7).randbytes(1000)),
    "a JPEG": (DETECT, b"\xff\xd8\xff\xe0" + bytes(64)),
    "one byte": (DETECT, b"\x0a"),
    "cut off": (DETECT, field(1, bytes(1000))[:-1]),
    "a length beyond all": (DETECT, b"\x0a" + b"\xff" * 9 + b"\x01"),
    "a number without end": (DETECT, b"\x10" + b"\xff" * 20),
    "field 0": (DETECT, b"\x00\x00"),
    "nested groups": (DETECT, b"\x7b" * 50_000 + b"\x7c" * 50_000),
    "a text that is no UTF-8": (COLOR, field(2, field(1, b"\xff\xfe"))),
    "a message in a message that is cut off": (COLOR, field(1, field(2, b"\x0a"))),
    "a stream's": (STREAM, b"\xff" * 9),
}


@pytest.mark.parametrize(("method", "sent"), NO_MESSAGES.values(), ids=NO_MESSAGES)
async def test_what_is_no_message_of_the_method_is_the_callers_mistake(channel, method, sent):
    error = await refusal(channel.unary_unary(method)(sent))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    told = from_rpc_error(error)
    assert type(told) is errors.InvalidParameter
    assert told.details["request"].startswith("must be a climbmate.")


MESSAGES = {
    "nothing": (DETECT, b""),
    "a field of another wire type": (DETECT, b"\x08\x01"),
    "megabytes of an unknown field": (DETECT, field(12, bytes(5 * MB))),
    "its only field twice": (DETECT, field(1, b"x") * 2),
}


@pytest.mark.parametrize(("method", "sent"), MESSAGES.values(), ids=MESSAGES)
async def test_what_protobuf_reads_is_a_message(channel, method, sent):
    assert await channel.unary_unary(method)(sent) == b""


BOMBS = {
    "crops of nothing": (COLOR, field(1, b"") * (MAX_REQUEST_BYTES // 2 - 10)),
    "colors of nothing": (ANALYZE, field(2, field(4, b"") * (MAX_REQUEST_BYTES // 2 - 10))),
    "unknown fields": (DETECT, b"\x78\x00" * (MAX_REQUEST_BYTES // 2 - 10)),
}


@pytest.mark.parametrize(("method", "sent"), BOMBS.values(), ids=BOMBS)
async def test_small_fields_that_would_be_large_objects_are_refused_before_they_are(toy, channel, method, sent):
    await channel.unary_unary(DETECT)(field(1, bytes(MAX_REQUEST_BYTES - 100)))  # what a message takes anyway
    before_bytes = toy.most_bytes()
    told = from_rpc_error(await refusal(channel.unary_unary(method)(sent)))
    assert (type(told), told.details) == (errors.InvalidParameter, {"request": "must have at most 10000 fields"})
    assert toy.most_bytes() - before_bytes < 5 * MB


LARGE = {
    "just larger": (MAX_REQUEST_BYTES, None),
    "25 MiB": (25 << 20, None),
    "100 MB": (100 * MB, None),
    "gzip, 10 kB for each 10 MB": (10 * MB, grpc.Compression.Gzip),
    "gzip, 100 MB": (100 * MB, grpc.Compression.Gzip),
    "deflate": (100 * MB, grpc.Compression.Deflate),
}


@pytest.mark.parametrize("method", [DETECT, STREAM])
@pytest.mark.parametrize(("size_bytes", "compression"), LARGE.values(), ids=LARGE)
async def test_a_message_that_is_too_large_is_refused_before_it_is_read(toy, channel, method, size_bytes, compression):
    before_bytes = toy.most_bytes()
    error = await refusal(channel.unary_unary(method)(field(1, bytes(size_bytes)), compression=compression))
    told = from_rpc_error(error)
    assert type(told) is errors.ImageTooLarge
    assert "max" not in str(told.details), "no text of the library's"
    assert toy.most_bytes() - before_bytes < 3 * MAX_REQUEST_BYTES


async def test_a_compressed_message_is_read(channel):
    assert await channel.unary_unary(DETECT)(field(1, bytes(5 * MB)), compression=grpc.Compression.Gzip) == b""


async def test_the_first_of_two_messages_counts(channel):
    call = channel.stream_unary(DETECT)(iter([b"", b"\xff" * 100]))
    assert await call == b""


async def test_a_call_without_a_message_is_refused(channel):
    told = from_rpc_error(await refusal(channel.stream_unary(DETECT)(iter(()))))
    assert (type(told), told.details) == (errors.InvalidParameter, {"request": "must be sent"})


def raw(toy, path, *headers):
    """Send one call by hand, as no gRPC library would; gives its status."""
    sent = b"\x83\x86\x04" + probe._text(path) + b"\x01" + probe._text(b"localhost")
    sent += b"\x0f\x10" + probe._text(b"application/grpc") + b"\x00" + probe._text(b"te") + probe._text(b"trailers")
    sent += b"".join(b"\x00" + probe._text(name) + probe._text(value) for name, value in headers)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(toy.socket)
        frames = probe._frame(probe._SETTINGS, 0, 0, b"") + probe._frame(probe._HEADERS, probe._END_HEADERS, 1, sent)
        connection.sendall(probe._PREFACE + frames + probe._frame(probe._DATA, probe._END_STREAM, 1, bytes(5)))
        received = b""
        while b"grpc-status" not in received:
            received += connection.recv(65536) or b"grpc-status\x01-"
    status = received.partition(b"grpc-status")[2]
    return status[1 : 1 + status[0]].decode()


NAMES = ["/a/b", "nonsense", "", "/", f"{DETECT}/more", "/climbmate.detector.v1.DetectorService/Nothing", "/벽"]


@pytest.mark.parametrize("name", [*(name.encode() for name in NAMES), b"/a/\xff\xfe", b"\xc3", b"/\x00"])
async def test_a_method_that_is_not_there_is_unimplemented_whatever_its_name_is(toy, channel, name):
    waiting = channel.unary_unary(ANALYZE)(b"")
    assert await asyncio.to_thread(raw, toy, name) == str(grpc.StatusCode.UNIMPLEMENTED.value[0])
    assert await waiting, "its neighbors are unharmed"


PASSED_OVER = [
    (b"x-request-id", "요청".encode()),
    (b"x-request-id", b"\xff\xfe"),
    (b"x-request-id", b"a\nb"),
    (b"x-request-id-bin", b"AAEC"),
    (b"authorization", b"Bearer \xff"),
    (b"grpc-timeout", b"99999999H"),
    (b"x-pad", b"p" * 126),
]


@pytest.mark.parametrize("header", PASSED_OVER)
async def test_metadata_that_say_nothing_to_us_are_passed_over(toy, channel, header):
    assert await asyncio.to_thread(raw, toy, DETECT.encode(), header) == "0"


REFUSED_BY_GRPC = [(b"grpc-timeout", b"abc"), (b"grpc-timeout", b"-1S"), (b"x-bin", b"!!!"), (b"grpc-encoding", b"br")]


@pytest.mark.parametrize("header", REFUSED_BY_GRPC)
async def test_metadata_that_break_grpcs_own_rules_end_their_call_only(toy, channel, header):
    assert await asyncio.to_thread(raw, toy, DETECT.encode(), header) == str(grpc.StatusCode.INTERNAL.value[0])


@pytest.mark.parametrize("size_bytes", [60_000, 20 * MB])
async def test_metadata_have_a_bound(toy, channel, size_bytes):
    before_bytes = toy.most_bytes()
    error = await refusal(channel.unary_unary(DETECT)(b"", metadata=(("x-pad", "p" * size_bytes),)))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert toy.most_bytes() - before_bytes < 5 * MB


async def test_hundreds_of_callers_who_leave_at_any_moment_are_cancelled_and_nothing_else(toy, channel):
    stub, dice = analyzer_pb2_grpc.AnalyzerServiceStub(channel), random.Random(11)
    codes = []

    async def leave(call, after_s):
        await asyncio.sleep(after_s)
        call.cancel()
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
            await (call if isinstance(call, grpc.aio.UnaryUnaryCall) else call.read())
        codes.append(await call.code())

    async def leave_after(steps):
        call = stub.StreamAnalysis(analyzer_pb2.StreamAnalysisRequest())
        for _ in range(steps):
            await call.read()
        await leave(call, 0)

    for _ in range(15):
        streams = [stub.StreamAnalysis(analyzer_pb2.StreamAnalysisRequest()) for _ in range(10)]
        unaries = [stub.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest()) for _ in range(10)]
        await asyncio.gather(
            *(leave(call, dice.uniform(0, 0.03)) for call in streams),
            *(leave(call, dice.uniform(0, 0.006)) for call in unaries),
            *(leave_after(dice.randrange(1, 15)) for _ in range(10)),
        )
    assert len(codes) == 450
    assert set(codes) <= {grpc.StatusCode.CANCELLED, grpc.StatusCode.OK}
    assert codes.count(grpc.StatusCode.CANCELLED) > 400
    assert "Context" not in toy.log()


async def test_health_is_listed(channel):
    listed = await health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest())
    assert set(listed.statuses) == {"", *SERVICES}
    assert {each.status for each in listed.statuses.values()} == {health_pb2.HealthCheckResponse.SERVING}


async def test_watches_have_a_bound_and_are_free_again_once_left(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(300)]
    codes = []

    async def look(watch):
        try:
            await watch.read()
        except grpc.aio.AioRpcError as error:
            codes.append(from_rpc_error(error).reason)

    await asyncio.gather(*map(look, watches))
    assert codes == ["OVERLOADED"] * 44
    for watch in watches:
        watch.cancel()
    await asyncio.sleep(0.3)
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING


async def reflected(channel, **asked):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(**asked)
    return [answer async for answer in stub.ServerReflectionInfo(iter([request]))]


@pytest.mark.parametrize("service", SERVICES)
async def test_reflection_describes_every_service(channel, service):
    [listed] = await reflected(channel, list_services="")
    assert service in {each.name for each in listed.list_services_response.service}
    [described] = await reflected(channel, file_containing_symbol=service)
    files = map(descriptor_pb2.FileDescriptorProto.FromString, described.file_descriptor_response.file_descriptor_proto)
    assert service in {f"{each.package}.{named.name}" for each in files for named in each.service}


async def test_reflection_of_what_is_not_there_is_not_found(channel):
    for asked in ({"file_containing_symbol": "a.B"}, {"file_by_filename": "벽.proto"}, {}):
        [answer] = await reflected(channel, **asked)
        assert answer.HasField("error_response")


@pytest.mark.parametrize("sent", [field(3, b"x" * 8 * MB), b"\xff" * 50])
async def test_reflection_does_not_take_what_is_no_question(toy, channel, sent):
    error = await refusal(
        anext(
            aiter(channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")(iter([sent])))
        )
    )
    assert type(from_rpc_error(error)) is errors.InvalidParameter


def test_the_messages_of_the_bombs_are_what_they_are_called():
    assert len(colorizer_pb2.ColorHoldsRequest.FromString(field(1, b"") * 3).crops) == 3
    assert len(analyzer_pb2.AnalyzePhotoRequest.FromString(field(2, field(4, b"") * 3)).options.palette) == 3
    assert detector_pb2.DetectHoldsRequest.FromString(b"\x78\x00").ByteSize() == 2
