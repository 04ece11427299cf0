"""The one place where a gRPC call becomes a request: id, deadline, receipt, log line, metrics, typed errors."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from servicekit import answering, receipts
from servicekit.budget import MemoryBudget
from servicekit.deadlines import within
from servicekit.errors import ImageTooLarge, Internal, InvalidParameter, RetryableError, ServiceError
from servicekit.memory import MemoryMeter
from servicekit.metrics import Metrics
from servicekit.received import READING_COPIES, parse
from servicekit.side_door import SideDoor
from servicekit.tracebacks import forget

_log = logging.getLogger("rpc")
_UNOBSERVED = ("/grpc.", "/climbmate.status.")
_Handler = Any  # grpc's handlers are generic over messages, which an interceptor does not look at
_Context = grpc.aio.ServicerContext[Any, Any]


class RequestInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every call but health, reflection and status.

    The call ends by its caller's deadline or the service's own, whichever is sooner. What a servicer raises becomes a
    status with details; what is not a `ServiceError` is a bug, is logged with its trace and told as `INTERNAL`.

    A request's message is read only once there is room for it in the inbox; until then HTTP/2's flow control keeps it
    at its sender. So a flood of large photos costs this process a queue entry each.
    """

    def __init__(
        self,
        metrics: Metrics,
        memory: MemoryMeter,
        *,
        deadline_s: float,
        inbox: MemoryBudget,
        max_request_bytes: int,
        request_copies: int = 1,
        admit: Callable[[str], None] | None = None,
    ) -> None:
        self._side_door = SideDoor(inbox, reading_bytes=READING_COPIES * max_request_bytes)
        self._inbox = inbox
        self._max_request_bytes = max_request_bytes
        self._request_copies = request_copies
        self._admit = admit
        self._metrics = metrics
        self._memory = memory
        self._deadline_s = deadline_s
        self.in_flight = 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Wrap the handler of unary-request calls, the only kind that climbmate has."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return None
        if method.startswith(_UNOBSERVED):
            return self._side_door.wrap(handler)
        if handler.unary_unary:
            return grpc.stream_unary_rpc_method_handler(
                self._unary(handler, method), response_serializer=handler.response_serializer
            )
        if handler.unary_stream:
            return grpc.stream_stream_rpc_method_handler(
                self._stream(handler, method), response_serializer=handler.response_serializer
            )
        raise NotImplementedError(f"{method}: calls with a stream of requests are not wrapped yet")

    def _unary(self, handler: _Handler, method: str) -> Callable[..., Awaitable[Any]]:
        async def handle(_: object, context: _Context) -> Any:  # noqa: ANN401 - any message
            async with self._request(method, context), self._received(handler, context) as request:
                return await handler.unary_unary(request, context)

        return handle

    def _stream(self, handler: _Handler, method: str) -> Callable[..., Awaitable[None]]:
        async def handle(_: object, context: _Context) -> None:
            async with self._request(method, context), self._received(handler, context) as request:
                await answering.write(context, handler.unary_stream(request, context))

        return handle

    @contextlib.asynccontextmanager
    async def _received(self, handler: _Handler, context: _Context) -> AsyncIterator[Any]:
        """Read the call's one message when the inbox has room for reading the largest; hold what it really takes.

        A service that copies its requests may need more than the inbox for the largest; that one has the inbox for
        itself while it is read, and is refused then. A larger one is refused by gRPC's core before it is read.

        Iterating over grpc.aio's messages would keep the last one in a cycle until the garbage collector comes by.
        """
        copies = max(READING_COPIES, self._request_copies)
        largest_bytes = min(copies * self._max_request_bytes, self._inbox.capacity_bytes)
        async with self._inbox.reserve(largest_bytes) as reservation:
            data = await context.read()
            if data is grpc.aio.EOF:
                raise InvalidParameter("The call has no request message.", details={"request": "must be sent"})
            needed_bytes = self._request_copies * len(data)
            if needed_bytes > reservation.held_bytes:
                raise ImageTooLarge(
                    "The request needs more memory than this replica can ever give.",
                    details={"needed_bytes": str(needed_bytes), "limit_bytes": str(reservation.held_bytes)},
                )
            request = parse(handler.request_deserializer, data)
            del data
            reservation.shrink_to(needed_bytes)
            yield request

    @contextlib.asynccontextmanager
    async def _request(self, method: str, context: _Context) -> AsyncIterator[None]:
        request_id = _request_id(context)
        with receipts.open_receipt(request_id, self._memory) as receipt, self._counted():
            # in the trailers: early initial metadata would commit the call and end gRPC's transparent retries
            id_trailer = ((receipts.REQUEST_ID_KEY, request_id),)
            context.set_trailing_metadata(id_trailer)
            outcome, start_s = "OK", time.perf_counter()
            try:
                if self._admit is not None:
                    self._admit(_metadata(context, "authorization"))
                async with within(self._time_for(context)):
                    yield
            except (asyncio.CancelledError, GeneratorExit):
                outcome = "CANCELLED"
                raise
            except grpc.aio.AbortError:
                outcome = "ABORTED"
                raise
            except Exception as error:
                failure = _as_service_error(error)
                outcome = failure.reason
                forget(error)
                await answering.refuse(context, failure, *id_trailer)
            finally:
                self._finish(method, outcome, time.perf_counter() - start_s, receipt)

    @contextlib.contextmanager
    def _counted(self) -> Any:  # noqa: ANN401 - a generator
        self._count(+1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self.in_flight += change
        self._metrics.in_flight.set(self.in_flight)
        if self.in_flight:
            self.idle.clear()
        else:
            self.idle.set()

    def _time_for(self, context: _Context) -> float:
        left_s = context.time_remaining()
        return self._deadline_s if left_s is None else min(self._deadline_s, max(0.0, left_s))

    def _finish(self, method: str, outcome: str, duration_s: float, receipt: receipts.Receipt) -> None:
        self._metrics.record_call(method, outcome, duration_s, receipt.stages)
        fields = {
            "method": method,
            "outcome": outcome,
            "duration_ms": round(duration_s * 1000, 1),
            "stages": receipt.to_fields(),
            "memory_mb": round(self._memory.used_bytes() / 1e6, 1),
            "limit_mb": round(self._memory.limit_bytes / 1e6, 1),
        }
        _log.info("rpc", extra={"fields": fields})


def _request_id(context: _Context) -> str:
    request_id = _metadata(context, receipts.REQUEST_ID_KEY)
    return request_id if receipts.is_request_id(request_id) else receipts.new_request_id()


def _metadata(context: _Context, name: str) -> str:
    """What the caller sent under a name; empty for nothing."""
    sent = (value for key, value in context.invocation_metadata() or () if key == name and isinstance(value, str))
    return next(sent, "")


def _as_service_error(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        if isinstance(error, RetryableError):
            _log.info("refused", extra={"fields": {"reason": error.reason, "message": error.message, **error.details}})
        return error
    _log.error("bug", exc_info=error)
    return Internal()
