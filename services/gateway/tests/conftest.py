"""A gateway between two scripted model services; all connections are real ones, on Unix sockets."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import pytest
from climbmate.analyzer.v1 import analyzer_pb2_grpc
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from climbmate.hold.v1 import hold_pb2
from climbmate.status.v1 import status_pb2, status_pb2_grpc
from gateway.assembly import REQUEST_COPIES, SERVICES, open_gateway
from gateway.settings import GatewaySettings
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from servicekit.budget import MemoryBudget
from servicekit.channel import open_channel
from servicekit.interceptor import RequestInterceptor
from servicekit.limits import MAX_MESSAGE_BYTES
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.metrics import Metrics
from servicekit.receipts import current_receipt
from servicekit.server import Lifecycle

JPEG = b"\xff\xd8\xff\xe0" + bytes(64)  # enough for the gateway, which never decodes
STAGE = status_pb2.Stage(name="decode", duration_ms=21.0, memory_before_bytes=100, memory_after_bytes=150)


def make_hold(hold_id: int, kind=hold_pb2.HOLD_KIND_HOLD) -> detector_pb2.DetectedHold:
    x, y = 10.0 + 20 * hold_id, 30.0
    hold = hold_pb2.Hold(
        id=hold_id,
        kind=kind,
        confidence=0.9,
        box=hold_pb2.Box(x_min=x, y_min=y, x_max=x + 8, y_max=y + 4),
        polygon=hold_pb2.Polygon(xy=[x, y, x + 8, y, x + 4, y + 4]),
        area_px=16,
        mask=hold_pb2.Mask(width=8, height=4, bits=b"\xff\xff\xff\x00"),
    )
    return detector_pb2.DetectedHold(hold=hold, crop_rgb=bytes([hold_id % 256]) * 96)


class FakeDetector(detector_pb2_grpc.DetectorServiceServicer):
    """Finds `holds`, after `before` has run."""

    service = "climbmate.detector.v1.DetectorService"

    def __init__(self) -> None:
        self.holds = [make_hold(number) for number in range(5)]
        self.reduced_resolution = False
        self.damaged = False
        self.before: Callable[[], Awaitable[None]] | None = None
        self.requests: list[detector_pb2.DetectHoldsRequest] = []
        self.request_ids: list[str] = []
        self.cancelled = asyncio.Event()

    async def DetectHolds(self, request, context):
        self.requests.append(request)
        self.request_ids.append(current_receipt().request_id)
        try:
            if self.before is not None:
                await self.before()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return detector_pb2.DetectHoldsResponse(
            photo_size=hold_pb2.PhotoSize(width=4032, height=3024),
            holds=self.holds[: request.max_holds or None],
            model=status_pb2.ModelInfo(name="toy-seg", version="0.1.0", sha256="ab"),
            stages=[STAGE, status_pb2.Stage(name="detect", duration_ms=60.0)],
            reduced_resolution=self.reduced_resolution,
            damaged=self.damaged,
            light=hold_pb2.Light(red=0.5, blue=-0.75),
        )


class FakeColorizer(colorizer_pb2_grpc.ColorizerServiceServicer):
    """Colors everything red, or as it is told, after `before` has run with the ids of the chunk."""

    service = "climbmate.colorizer.v1.ColorizerService"

    def __init__(self) -> None:
        self.before: Callable[[list[int]], Awaitable[None]] | None = None
        self.renumber: Callable[[int], int] = int
        self.color = hold_pb2.Color(name="red", confidence=0.97, rgb=hold_pb2.Rgb(red=196, green=38, blue=44))
        self.requests: list[colorizer_pb2.ColorHoldsRequest] = []
        self.request_ids: list[str] = []
        self.cancelled = asyncio.Event()

    async def ColorHolds(self, request, context):
        self.requests.append(request)
        self.request_ids.append(current_receipt().request_id)
        try:
            if self.before is not None:
                await self.before([crop.hold_id for crop in request.crops])
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        colors = [
            colorizer_pb2.HoldColor(hold_id=self.renumber(crop.hold_id), color=self.color) for crop in request.crops
        ]
        return colorizer_pb2.ColorHoldsResponse(
            colors=colors,
            model=status_pb2.ModelInfo(name="toy-clip", version="0.2.0", sha256="cd"),
            stages=[status_pb2.Stage(name="embed", duration_ms=24.0)],
        )

    async def GetPalette(self, request, context):
        red = colorizer_pb2.PaletteColor(
            name="red", prompts=["a red hold"], display=hold_pb2.Rgb(red=220, green=38, blue=38)
        )
        return colorizer_pb2.GetPaletteResponse(colors=[red])


class FakeStatus(status_pb2_grpc.StatusServiceServicer):
    async def GetStatus(self, request, context):
        return status_pb2.GetStatusResponse(
            version="0.1.0",
            models=[status_pb2.ModelInfo(name="toy", version="0.1.0", sha256="ab")],
            memory=status_pb2.Memory(used_bytes=180, limit_bytes=200, floor_bytes=100),
            in_flight=5,
            waiting=3,
            activity=status_pb2.Activity(requests_per_s=2.5, p50_ms=40.0, p99_ms=90.0, refused=7),
        )


@contextlib.asynccontextmanager
async def serve(
    target: str, register, service: str, *, inbox: MemoryBudget | None = None, request_copies: int = 1, admit=None
) -> AsyncIterator[None]:
    """Serve on a socket with the interceptor, health and status that every service has."""
    memory = MemoryMeter(MemoryLimit(0, None))
    requests = RequestInterceptor(
        Metrics(memory),
        memory,
        deadline_s=30.0,
        inbox=inbox or MemoryBudget(0, queue_limit=64),
        max_request_bytes=MAX_MESSAGE_BYTES,
        request_copies=request_copies,
        admit=admit,
    )
    options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
    server = grpc.aio.server(interceptors=[requests], options=options)
    register(server)
    status_pb2_grpc.add_StatusServiceServicer_to_server(FakeStatus(), server)
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    await checks.set(service, health_pb2.HealthCheckResponse.SERVING)
    server.add_insecure_port(target)
    await server.start()
    try:
        yield
    finally:
        await server.stop(0)


@dataclass
class Switchable:
    """A fake service that can be stopped and started again at the same address."""

    fake: FakeDetector | FakeColorizer
    register: Callable[[grpc.aio.Server], None]
    target: str
    _running: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def start(self) -> None:
        await self._running.enter_async_context(serve(self.target, self.register, self.fake.service))

    async def stop(self) -> None:
        await self._running.aclose()


class Gate:
    """A running gateway and what is behind it."""

    def __init__(self, folder: Path, inbox_bytes: int, own_settings: dict) -> None:
        self.detector, self.colorizer = FakeDetector(), FakeColorizer()
        self.services = {
            "detector": Switchable(
                self.detector,
                lambda server: detector_pb2_grpc.add_DetectorServiceServicer_to_server(self.detector, server),
                f"unix:{folder}/detector",
            ),
            "colorizer": Switchable(
                self.colorizer,
                lambda server: colorizer_pb2_grpc.add_ColorizerServiceServicer_to_server(self.colorizer, server),
                f"unix:{folder}/colorizer",
            ),
        }
        self.settings = GatewaySettings(
            gateway_detector_target=self.services["detector"].target,
            gateway_colorizer_target=self.services["colorizer"].target,
            **{
                "gateway_listen": f"unix:{folder}/http",
                "gateway_chunk_holds": 2,
                "gateway_feedback_file": f"{folder}/feedback.db",
                "gateway_remember_s": 0.0,  # or the same photo would be asked for only once
                "drain_limit_s": 2.0,
                **own_settings,
            },
        )
        self.http_path = f"{folder}/http"
        self.grpc_target = f"unix:{folder}/grpc"
        memory = MemoryMeter(MemoryLimit(0, None))
        self.lifecycle = Lifecycle(memory, Metrics(memory), MemoryBudget(inbox_bytes, queue_limit=64), asyncio.Event())
        listen = self.settings.gateway_listen
        uds = self.http_path if listen.startswith("unix:") else None
        self.http = httpx.AsyncClient(
            base_url="http://gateway" if uds else f"http://{listen}",
            transport=httpx.AsyncHTTPTransport(uds=uds),
            timeout=20,
        )

    async def live(self, running: asyncio.Event) -> None:
        async with (
            open_gateway(self.settings, self.lifecycle) as loaded,
            serve(
                self.grpc_target,
                loaded.register,
                SERVICES[0],
                inbox=self.lifecycle.inbox,
                request_copies=REQUEST_COPIES,
                admit=loaded.admit,
            ),
        ):
            self.lifecycle.ready = True
            running.set()
            await self.lifecycle.stop.wait()
            self.lifecycle.ready = False

    async def analyze(self, photo: bytes = JPEG, headers=None, **params) -> httpx.Response:
        return await self.http.post(
            "/api/analyze", content=photo, params=params, headers={"content-type": "image/jpeg", **(headers or {})}
        )

    async def until_ready(self) -> None:
        while (await self.http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def analyzer(self) -> AsyncIterator[analyzer_pb2_grpc.AnalyzerServiceStub]:
        async with open_channel(self.grpc_target) as channel:
            yield analyzer_pb2_grpc.AnalyzerServiceStub(channel)


@pytest.fixture
async def open_gate():
    """Start a gateway with settings of the test's own, and wait until it is ready."""
    folder = Path(tempfile.mkdtemp(prefix="gw-"))  # socket paths must be short
    started: list[tuple[Gate, asyncio.Task]] = []

    async def start(*, ready: bool = True, inbox_bytes: int = 0, **own_settings) -> Gate:
        gate = Gate(folder, inbox_bytes, own_settings)
        running = asyncio.Event()
        for service in gate.services.values():
            if ready:
                await service.start()
        task = asyncio.create_task(gate.live(running))
        started.append((gate, task))
        waiting = asyncio.create_task(running.wait())
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            task.result()
        if ready:
            await gate.until_ready()
        return gate

    yield start
    for gate, task in started:
        gate.lifecycle.stop.set()
        await gate.http.aclose()
        await asyncio.wait_for(task, 10)
        for service in gate.services.values():
            await service.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def gate(open_gate) -> Gate:
    return await open_gate()


@pytest.fixture
def jpeg() -> bytes:
    return JPEG


@pytest.fixture
def hold():
    return make_hold


@pytest.fixture
def gate_busiest():
    """How many of `count` analyses at once the detector has seen together."""

    async def measure(gate: Gate, count: int, **params) -> int:
        busy = busiest = 0

        async def watch() -> None:
            nonlocal busy, busiest
            busy += 1
            busiest = max(busiest, busy)
            await asyncio.sleep(0.2)
            busy -= 1

        gate.detector.before = watch
        answers = await asyncio.gather(*(gate.analyze(**params) for _ in range(count)))
        assert [response.status_code for response in answers] == [200] * count
        return busiest

    return measure
