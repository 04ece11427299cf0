"""Serves `climbmate.status.v1.StatusService` for any service."""

import time
from collections.abc import Sequence

from climbmate.status.v1 import status_pb2, status_pb2_grpc

from servicekit.interceptor import RequestInterceptor
from servicekit.memory import MemoryMeter


class StatusServicer(status_pb2_grpc.StatusServiceServicer):
    """Describes the service it runs in."""

    def __init__(
        self,
        *,
        service: str,
        version: str,
        models: Sequence[status_pb2.ModelInfo],
        memory: MemoryMeter,
        requests: RequestInterceptor,
    ) -> None:
        self._service = service
        self._version = version
        self._models = models
        self._memory = memory
        self._requests = requests
        self._ready_s = time.monotonic()

    async def GetStatus(
        self,
        request: status_pb2.GetStatusRequest,  # noqa: ARG002 - it has no parameters
        context: object,  # noqa: ARG002
    ) -> status_pb2.GetStatusResponse:
        """Answer with the present figures."""
        return status_pb2.GetStatusResponse(
            service=self._service,
            version=self._version,
            models=self._models,
            memory=status_pb2.Memory(
                used_bytes=self._memory.used_bytes(),
                limit_bytes=self._memory.limit_bytes,
                floor_bytes=self._memory.floor_bytes,
            ),
            in_flight=self._requests.in_flight,
            uptime_s=time.monotonic() - self._ready_s,
        )
