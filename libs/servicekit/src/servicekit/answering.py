"""Answers to calls that may have ended by then: gRPC's core itself ends one whose message is too large, for example."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import grpc

from servicekit.errors import ServiceError
from servicekit.rich_status import to_trailers

_Context = grpc.aio.ServicerContext[Any, Any]


async def write(context: _Context, answers: AsyncGenerator[Any, None]) -> None:
    """Write all answers of a stream; the generator is closed here, in the task and the context that it ran in.

    A handler that is a generator itself would be left behind by grpc.aio when its call is cancelled while an answer is
    written. The garbage collector would close it in a task of its own, where nothing that was set for the call can be
    reset.

    Raises:
        asyncio.CancelledError: The call has ended.
    """
    async with contextlib.aclosing(answers):
        async for answer in answers:
            with _until_it_ends():
                await context.write(answer)


async def refuse(context: _Context, error: ServiceError, *trailers: tuple[str, str]) -> None:
    """End a call with an error and more trailing metadata.

    Raises:
        grpc.aio.AbortError: Always, but for this:
        asyncio.CancelledError: The call has ended.
    """
    with _until_it_ends():
        await context.abort(error.code, error.message, (*trailers, *to_trailers(error)))


@contextlib.contextmanager
def _until_it_ends() -> Iterator[None]:
    try:
        yield
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None
