"""How health, reflection and status calls are read, which must be answered when the inbox is full."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

_MAX_BYTES = 4096  # their requests are names at most
_MAX_WAIT_S = 0.5
_Context = grpc.aio.ServicerContext[Any, Any]


class SideDoor:
    """Reads one small request at a time, so that all of them together cost the memory of one message.

    gRPC's limit on messages is one for the whole server: without this door, health checks as large as photos would be
    read past the inbox.
    """

    def __init__(self) -> None:
        self._open = asyncio.Semaphore(1)

    def unary(self, call: Callable[[Any, _Context], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Wrap a handler with one answer, or one that writes its answers to the context."""

        async def handle(_: object, context: _Context) -> Any:  # noqa: ANN401 - any message
            return await call(await self._read(context), context)

        return handle

    async def _read(self, context: _Context) -> Any:  # noqa: ANN401 - any message
        try:
            async with asyncio.timeout(_MAX_WAIT_S), self._open:
                received = await context.read()
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The request did not arrive in time.")
        if received is grpc.aio.EOF or received.size_bytes > _MAX_BYTES:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Send one request of at most {_MAX_BYTES} bytes.")
        return received.message
