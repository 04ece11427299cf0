"""Serves `climbmate.status.v1.StatusService` for any service."""

import time
from collections.abc import Sequence

from climbmate.status.v1 import status_pb2, status_pb2_grpc

from servicekit.interceptor import RequestInterceptor
from servicekit.levels import level_of
from servicekit.memory import MemoryMeter
from servicekit.service import Lifecycle


class StatusServicer(status_pb2_grpc.StatusServiceServicer):
    """Describes the service it runs in."""

    def __init__(
        self,
        *,
        service: str,
        version: str,
        models: Sequence[status_pb2.ModelInfo],
        lifecycle: Lifecycle,
        requests: RequestInterceptor,
    ) -> None:
        self._service = service
        self._version = version
        self._models = models
        self._lifecycle = lifecycle
        self._requests = requests
        self._ready_s = time.monotonic()

    async def GetStatus(
        self,
        request: status_pb2.GetStatusRequest,  # noqa: ARG002 - it has no parameters
        context: object,  # noqa: ARG002
    ) -> status_pb2.GetStatusResponse:
        """Answer with the present figures."""
        lately = self._lifecycle.metrics.activity.lately()
        return status_pb2.GetStatusResponse(
            service=self._service,
            version=self._version,
            models=self._models,
            memory=_memory(self._lifecycle.memory),
            in_flight=self._requests.in_flight,
            waiting=self._lifecycle.waiting,
            activity=status_pb2.Activity(
                requests_per_s=lately.requests_per_s,
                p50_ms=lately.p50_ms,
                p99_ms=lately.p99_ms,
                requests=lately.requests,
                refused=lately.refused,
                failed=lately.failed,
            ),
            uptime_s=time.monotonic() - self._ready_s,
            draining=not self._lifecycle.ready,
        )


def _memory(meter: MemoryMeter) -> status_pb2.Memory:
    used_bytes, limit_bytes = meter.used_bytes(), meter.limit_bytes
    names = status_pb2.MemoryLevel
    level = names.Name(level_of(used_bytes, limit_bytes) + 1) if limit_bytes else names.Name(0)
    return status_pb2.Memory(
        used_bytes=used_bytes,
        limit_bytes=limit_bytes,
        floor_bytes=meter.floor_bytes,
        level=level,
    )
