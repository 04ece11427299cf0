"""A service's life: load and warm, open the port, serve, become unready, drain, close."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Iterator

import grpc
from climbmate.status.v1 import status_pb2, status_pb2_grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from servicekit import debug_port, heap, levels, logs
from servicekit.acceptor import open_server
from servicekit.budget import MemoryBudget
from servicekit.health import HealthServicer
from servicekit.interceptor import RequestInterceptor
from servicekit.limits import MAX_MESSAGE_BYTES
from servicekit.memory import MB, MemoryMeter, find_limit
from servicekit.memory_kit import MemoryKit
from servicekit.metrics import Metrics
from servicekit.receipts import open_receipt
from servicekit.received import READING_COPIES
from servicekit.service import Lifecycle, Loaded, Service, StartError
from servicekit.settings import ServiceSettings
from servicekit.status import StatusServicer

__all__ = ["Lifecycle", "Loaded", "Service", "StartError", "run"]

_log = logging.getLogger("server")
_READ_AHEAD_BYTES = 64 * 1024  # that a waiting call's sender may send
_MAX_STREAMS = 512  # calls of one connection; its others wait at their sender
_LAST_BYTES_S = 0.05  # for answers that were given but not sent


def run(service: Service) -> int:
    """Run a service until SIGTERM or SIGINT.

    Returns:
        The exit code: 0 after a drain, 1 when it could not start (one line in the log says why).
    """
    logs.configure(service.name, service.settings.log_level)
    heap.tune(service.kept_buffer_bytes)
    try:
        asyncio.run(_live(service))
    except StartError as error:
        _log.critical("cannot start", extra={"fields": {"reason": str(error)}})
        return 1
    return 0


async def _live(service: Service) -> None:
    start_s = time.monotonic()
    memory = MemoryMeter(find_limit(service.settings.memory_limit_mb))
    lifecycle = Lifecycle(memory, Metrics(memory), _inbox(service), _stop_on_signals())
    async with contextlib.AsyncExitStack() as parts:
        parts.enter_context(_debugging(MemoryKit(memory, enabled=service.settings.debug_memory), service.settings))
        with open_receipt("start", memory) as receipt:
            loaded = await parts.enter_async_context(service.open(lifecycle))
        if not memory.floor_bytes:
            heap.settle()
            memory.mark_floor()
        trimming = heap.keep_trimmed(memory, lifecycle.pressure, kept_bytes=service.kept_buffer_bytes)
        for watching in (trimming, levels.keep_telling(memory)):
            parts.callback(asyncio.create_task(watching).cancel)
        _log.info("loaded", extra={"fields": {"stages": receipt.to_fields()}})
        requests = RequestInterceptor(
            lifecycle.metrics,
            memory,
            deadline_s=service.settings.request_deadline_s,
            inbox=lifecycle.inbox,
            max_request_bytes=service.max_request_bytes,
            request_copies=service.request_copies,
            admit=loaded.admit,
        )
        async with (
            _metrics_port(service.metrics_listen, lifecycle.metrics),
            _serving(service, loaded, lifecycle, requests) as checks,
        ):
            lifecycle.ready = True
            _log.info("ready", extra={"fields": _ready_fields(service, memory, start_s)})
            await lifecycle.stop.wait()
            lifecycle.ready = False
            await checks.enter_graceful_shutdown()
            _log.info("draining", extra={"fields": {"in_flight": requests.in_flight}})
            await asyncio.sleep(service.settings.drain_wait_s)
    _log.info("stopped")


@contextlib.asynccontextmanager
async def _serving(
    service: Service, loaded: Loaded, lifecycle: Lifecycle, requests: RequestInterceptor
) -> AsyncIterator[HealthServicer]:
    """Open the port; at the end refuse new calls and let the running ones finish."""
    server = open_server([requests], _server_options(service.max_request_bytes))
    loaded.register(server)
    status = StatusServicer(
        service=service.name, version=service.version, models=loaded.models, lifecycle=lifecycle, requests=requests
    )
    status_pb2_grpc.add_StatusServiceServicer_to_server(status, server)
    checks = HealthServicer(loaded.services)
    await checks.open()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    status_name = status_pb2.DESCRIPTOR.services_by_name["StatusService"].full_name
    reflection.enable_server_reflection(
        (*loaded.services, status_name, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    try:
        bound = server.add_insecure_port(service.listen)
    except RuntimeError as error:
        raise StartError(f"cannot listen on {service.listen}: {error}") from None
    if not bound:
        raise StartError(f"cannot listen on {service.listen}")
    await server.start()
    try:
        yield checks
    finally:
        await _drain(server, requests, service.settings.drain_limit_s)


async def _drain(server: grpc.aio.Server, requests: RequestInterceptor, limit_s: float) -> None:
    """Refuse new calls and let the running ones finish; clients' health watches are no reason to wait."""
    draining = asyncio.create_task(server.stop(limit_s))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await requests.idle.wait()
            await asyncio.sleep(_LAST_BYTES_S)
    await server.stop(0)
    await draining


@contextlib.asynccontextmanager
async def _metrics_port(listen: str, metrics: Metrics) -> AsyncIterator[None]:
    if not listen:
        yield
        return
    host, _, port = listen.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host or "0.0.0.0", metrics.registry)  # noqa: S104 - as told
    except OSError as error:
        raise StartError(f"cannot serve metrics on {listen}: {error.strerror}") from None
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)  # which takes up to half a second
        server.server_close()
        thread.join()


@contextlib.contextmanager
def _debugging(kit: MemoryKit, settings: ServiceSettings) -> Iterator[None]:
    """With `DEBUG_MEMORY=1`: log every stage's memory, trace allocations, report at SIGUSR1 and at the debug port."""
    if kit.enabled:
        logging.getLogger("stage").setLevel(logging.DEBUG)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, kit.report)
    with kit.running(), contextlib.ExitStack() as port:
        try:
            port.enter_context(debug_port.serving(kit, settings.debug_memory_port))
        except OSError as error:
            raise StartError(f"cannot use DEBUG_MEMORY_PORT={settings.debug_memory_port}: {error.strerror}") from None
        yield


def _inbox(service: Service) -> MemoryBudget:
    """Room for messages that were read but not answered yet; always enough to read one of the largest."""
    settings = service.settings
    least_bytes = READING_COPIES * service.max_request_bytes
    return MemoryBudget(max(settings.inbox_mb * MB, least_bytes), queue_limit=settings.max_waiting)


def _server_options(max_request_bytes: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", max_request_bytes),
        ("grpc.max_concurrent_streams", _MAX_STREAMS),
        ("grpc.so_reuseport", 0),  # a taken port is an error, not a silent share
        ("grpc.max_connection_age_ms", 300_000),  # clients look up the replicas again
        ("grpc.max_connection_age_grace_ms", 60_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # allows our channels' keepalive
        ("grpc.http2.bdp_probe", 0),  # or each waiting call would be sent megabytes that nobody has reserved
        ("grpc.http2.lookahead_bytes", _READ_AHEAD_BYTES),
    ]


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _ready_fields(service: Service, memory: MemoryMeter, start_s: float) -> dict[str, object]:
    return {
        "version": service.version,
        "listen": service.listen,
        "start_s": round(time.monotonic() - start_s, 2),
        "floor_mb": round(memory.floor_bytes / 1e6, 1),
        "limit_mb": round(memory.limit_bytes / 1e6, 1),
    }
