"""How health, reflection and status calls are read, which must be answered when the inbox is full."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import grpc

from servicekit import answering
from servicekit.budget import MemoryBudget
from servicekit.errors import DeadlineExceeded, InvalidParameter, Overloaded, ServiceError
from servicekit.received import parse

_MAX_BYTES = 4096  # their requests are names at most
_MAX_WAIT_S = 0.5
_MAX_OPEN = 256  # calls at once; each channel of ours keeps one health watch open
_Context = grpc.aio.ServicerContext[Any, Any]
_Handler = Any  # grpc's handlers are generic over messages


class SideDoor:
    """Reads one small request at a time, and only while the inbox has room for reading the largest.

    gRPC's limit on messages is one for the whole server: without this door, health checks as large as photos would be
    read past the inbox. While there is no room, a request of one message is left unread and answered as an empty one,
    which asks for the health of the whole server: each of its services has the same.
    """

    def __init__(self, inbox: MemoryBudget, *, reading_bytes: int) -> None:
        """Set the bounds; `reading_bytes` is what reading the largest message takes."""
        self._inbox = inbox
        self._reading_bytes = min(reading_bytes, inbox.capacity_bytes)
        self._turn = asyncio.Semaphore(1)
        self._open = 0

    def wrap(self, handler: _Handler) -> _Handler:
        """A handler of any kind as one that reads through the door."""
        serialize = handler.response_serializer
        if handler.unary_unary:
            return grpc.stream_unary_rpc_method_handler(self._unary(handler, handler.unary_unary), None, serialize)
        if handler.unary_stream:
            return grpc.stream_stream_rpc_method_handler(self._unary(handler, handler.unary_stream), None, serialize)
        return grpc.stream_stream_rpc_method_handler(self._stream(handler), None, serialize)

    def _unary(self, handler: _Handler, call: Callable[[Any, _Context], Any]) -> Callable[..., Any]:
        """Of one request, with one answer or with answers that the handler writes to the context."""

        async def handle(_: object, context: _Context) -> Any:  # noqa: ANN401 - any message
            async with self._admitted(context):
                data = await self._read(context) if self._has_room() else b""
                if data is None:
                    raise InvalidParameter("The call has no request message.", details={"request": "must be sent"})
                return await call(parse(handler.request_deserializer, data), context)

        return handle

    def _stream(self, handler: _Handler) -> Callable[..., Any]:
        """Of many requests; who sends no further one in time has ended, and can come back."""

        async def requests(context: _Context) -> AsyncGenerator[Any, None]:
            with contextlib.suppress(DeadlineExceeded):
                while (data := await self._read(context)) is not None:
                    yield parse(handler.request_deserializer, data)

        async def handle(_: object, context: _Context) -> None:
            async with (
                self._admitted(context),
                contextlib.aclosing(requests(context)) as incoming,
            ):
                await answering.write(context, handler.stream_stream(incoming, context))

        return handle

    @contextlib.asynccontextmanager
    async def _admitted(self, context: _Context) -> AsyncIterator[None]:
        """Count a call while it lives, and end it with what it is refused for."""
        self._open += 1
        try:
            if self._open > _MAX_OPEN:
                raise Overloaded("Too many health, reflection and status calls are open.")
            yield
        except ServiceError as error:
            await answering.refuse(context, error)
        finally:
            self._open -= 1

    def _has_room(self) -> bool:
        free_bytes = self._inbox.capacity_bytes - self._inbox.reserved_bytes
        return not self._inbox.waiting and self._reading_bytes <= free_bytes

    async def _read(self, context: _Context) -> bytes | None:
        """The next message; None when there is none."""
        try:
            async with asyncio.timeout(_MAX_WAIT_S), self._turn, self._inbox.reserve(self._reading_bytes):
                data = await context.read()
        except TimeoutError:
            raise DeadlineExceeded("The request did not arrive in time.") from None
        if data is grpc.aio.EOF:
            return None
        if len(data) > _MAX_BYTES:
            must = f"must have at most {_MAX_BYTES} bytes"
            raise InvalidParameter("The request is too large.", details={"request": must})
        return bytes(data)
