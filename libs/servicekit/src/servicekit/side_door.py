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
_MAX_STREAMS = 256  # each channel of ours keeps one health watch open
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
        self._streams = 0

    def wrap(self, handler: _Handler) -> _Handler:
        """A handler of any kind as one that reads through the door."""
        serialize = handler.response_serializer
        if handler.unary_unary:
            return grpc.stream_unary_rpc_method_handler(self._one_answer(handler), None, serialize)
        if handler.unary_stream:
            return grpc.stream_stream_rpc_method_handler(self._many_answers(handler), None, serialize)
        return grpc.stream_stream_rpc_method_handler(self._many_requests(handler), None, serialize)

    def _one_answer(self, handler: _Handler) -> Callable[..., Any]:
        async def handle(_: object, context: _Context) -> Any:  # noqa: ANN401 - any message
            async with _refusing(context):
                return await handler.unary_unary(await self._request(handler, context), context)

        return handle

    def _many_answers(self, handler: _Handler) -> Callable[..., Any]:
        """The handler writes its answers to the context by itself, as that of health watches does."""

        async def handle(_: object, context: _Context) -> None:
            async with _refusing(context), self._stream():
                await handler.unary_stream(await self._request(handler, context), context)

        return handle

    def _many_requests(self, handler: _Handler) -> Callable[..., Any]:
        """Who sends no further request in time has ended, and can come back."""

        async def requests(context: _Context) -> AsyncGenerator[Any, None]:
            with contextlib.suppress(DeadlineExceeded):
                while (data := await self._read(context)) is not None:
                    yield parse(handler.request_deserializer, data)

        async def handle(_: object, context: _Context) -> None:
            async with (
                _refusing(context),
                self._stream(),
                contextlib.aclosing(requests(context)) as incoming,
            ):
                await answering.write(context, handler.stream_stream(incoming, context))

        return handle

    @contextlib.asynccontextmanager
    async def _stream(self) -> AsyncIterator[None]:
        """Count a call that may live long; those of one answer do not, and nobody's streams may keep them out."""
        self._streams += 1
        try:
            if self._streams > _MAX_STREAMS:
                raise Overloaded("Too many health and reflection streams are open.")
            yield
        finally:
            self._streams -= 1

    async def _request(self, handler: _Handler, context: _Context) -> Any:  # noqa: ANN401 - any message
        """The only request of a call; an empty one where there is no room for reading it."""
        try:
            data = await self._read(context)
        except Overloaded:
            data = b""
        if data is None:
            raise InvalidParameter("The call has no request message.", details={"request": "must be sent"})
        return parse(handler.request_deserializer, data)

    async def _read(self, context: _Context) -> bytes | None:
        """The next message; None when there is none.

        Raises:
            Overloaded: There is no room for reading it now.
        """
        self._check_room()
        try:
            async with asyncio.timeout(_MAX_WAIT_S), self._turn:
                self._check_room()
                async with self._inbox.reserve(self._reading_bytes):
                    data = await context.read()
        except TimeoutError:
            raise DeadlineExceeded("The request did not arrive in time.") from None
        if data is grpc.aio.EOF:
            return None
        if len(data) > _MAX_BYTES:
            must = f"must have at most {_MAX_BYTES} bytes"
            raise InvalidParameter("The request is too large.", details={"request": must})
        return bytes(data)

    def _check_room(self) -> None:
        free_bytes = self._inbox.capacity_bytes - self._inbox.reserved_bytes
        if self._inbox.waiting or self._reading_bytes > free_bytes:
            raise Overloaded("There is no room for reading the request now.")


@contextlib.asynccontextmanager
async def _refusing(context: _Context) -> AsyncIterator[None]:
    """End a call with what it is refused for."""
    try:
        yield
    except ServiceError as error:
        await answering.refuse(context, error)
