"""Client channels between services."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import grpc

from servicekit.deadlines import remaining_s
from servicekit.limits import MAX_MESSAGE_BYTES
from servicekit.receipts import REQUEST_ID_KEY, current_receipt

_ENDED = (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError)
"""What sending raises when the call is over: by then, while it was sent, or just before the end of sending was told."""
Request = TypeVar("Request")
Response = TypeVar("Response")

_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)


async def ask(
    method: grpc.aio.UnaryUnaryMultiCallable[Request, Response], request: Request, *, timeout_s: float
) -> Response:
    """Call a method, with the id of the current request, and no longer than what is left of its deadline.

    Args:
        method: The method, of a stub or of the channel.
        request: What it takes.
        timeout_s: How long the answer may take from now.
    """
    left_s = remaining_s()
    timeout_s = timeout_s if left_s is None else min(timeout_s, left_s)
    return cast("Response", await _answer(method(request, timeout=timeout_s, metadata=_own_metadata())))


async def upload(
    method: grpc.aio.StreamUnaryMultiCallable[Any, Response],
    take: Callable[[], Any],
    *,
    timeout_s: float,
    sending: contextlib.AbstractAsyncContextManager[Any],
) -> Response:
    """Call a method of one large request, which is in memory twice only while it is written.

    A unary call would keep the request beside what gRPC's core has copied of it until the answer is there. On the wire
    the two are the same. The core keeps its copy to repeat the call when a replica was not there.

    Args:
        method: The method, as one that takes a stream of requests, without a serializer.
        take: Gives the serialized request, and keeps none.
        timeout_s: How long the answer may take from now.
        sending: Held while the request is in memory twice.
    """
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    async with sending:
        call = method(timeout=max(0.0, end_s - loop.time()), metadata=_own_metadata())
        with contextlib.suppress(*_ENDED):  # told again by the answer
            await _uncancelled(call, call.write(take()))
            await _uncancelled(call, call.done_writing())
    return cast("Response", await _answer(call))


def _own_metadata() -> grpc.aio.Metadata:
    receipt = current_receipt()
    return grpc.aio.Metadata(*(() if receipt is None else ((REQUEST_ID_KEY, receipt.request_id),)))


async def _answer(call: Any) -> Any:  # noqa: ANN401 - any message
    """Wait for a call's answer; if the wait is cancelled, end the call in gRPC's core and let it finish by itself.

    To cancel the call's own task, as its `cancel()` does, would leave to nobody what the core holds for it then: an
    answer that has just landed, for one (grpc/grpc#43360).
    """
    return await _uncancelled(call, call)


async def _uncancelled(call: Any, step: Awaitable[Any]) -> Any:  # noqa: ANN401 - any message
    waiting = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        waiting.add_done_callback(_notice)
        call._cython_call.cancel("The caller left.")  # noqa: SLF001 - no public way does only this; grpcio is pinned
        raise


def _notice(ended: "asyncio.Future[Any]") -> None:
    """Take note of how a call ended that nobody waits for any more, so that asyncio does not complain."""
    if not ended.cancelled():
        ended.exception()


def open_channel(target: str) -> grpc.aio.Channel:
    """Open a channel to a service.

    Calls are spread over all replicas that `target` resolves to (`dns:///name:port` of a headless Service), and
    repeated when a replica was not there (UNAVAILABLE), at most twice. A lost replica is tried again within a second,
    one that says it is not serving gets no new calls (gRPC health checking, gRFC A17).

    Args:
        target: A gRPC name, for example `127.0.0.1:50051`, `unix:/run/detector.sock` or `dns:///climbmate-detector:50051`.
    """
    options = [
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),  # or a call with a photo would never be repeated
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 500),
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
    ]
    return grpc.aio.insecure_channel(target, options=options)
