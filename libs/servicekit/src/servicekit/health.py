"""Serves `grpc.health.v1.Health`: the library's servicer, with `List`, which it leaves out."""

from collections.abc import Iterable
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2

_WHOLE_SERVER = ""


class HealthServicer(health.aio.HealthServicer):  # type: ignore[misc] # the library has no types
    """The health of the whole server and of each of its services, which is the same."""

    def __init__(self, services: Iterable[str]) -> None:
        super().__init__()
        self._names = (_WHOLE_SERVER, *services)

    async def open(self) -> None:
        """Say that everything serves, until `enter_graceful_shutdown`."""
        for name in self._names:
            await self.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def List(
        self,
        request: health_pb2.HealthListRequest,  # noqa: ARG002 - it has no parameters
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> health_pb2.HealthListResponse:
        """Tell the health of all that `Check` knows."""
        asked = {name: health_pb2.HealthCheckRequest(service=name) for name in self._names}
        return health_pb2.HealthListResponse(
            statuses={name: await self.Check(check, context) for name, check in asked.items()}
        )
