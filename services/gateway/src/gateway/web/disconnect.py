"""Stops work whose caller has left."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from servicekit.errors import ServiceError
from starlette.types import Receive

T = TypeVar("T")


class CallerLeft(Exception):
    """The caller closed the connection before the answer."""


async def unless_caller_leaves(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Do the work of a request whose body was read, and cancel it when the caller closes the connection.

    Raises:
        CallerLeft: The work was cancelled and has ended.
    """
    working, watch = asyncio.current_task(), asyncio.create_task(_left(receive))
    left = False

    def stop(watched: asyncio.Task[None]) -> None:
        nonlocal left
        if not watched.cancelled() and working is not None:
            left = True
            working.cancel()

    watch.add_done_callback(stop)
    try:
        return await work
    except asyncio.CancelledError:
        if not left or working is None or working.uncancel():  # who else cancels has the last word
            raise
        raise CallerLeft from None
    finally:
        working = None  # what the watch may still have to tell comes too late
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while True:
        with contextlib.suppress(ServiceError):  # the rest of a body cannot be read, but its sender is still there
            if (await receive())["type"] == "http.disconnect":
                return
