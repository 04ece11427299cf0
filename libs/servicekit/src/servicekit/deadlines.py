"""The deadline of the request that is being served, so that every call made for it can respect it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextvars import ContextVar

from servicekit.errors import DeadlineExceeded

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def remaining_s() -> float | None:
    """Seconds left for the current request, 0 at least; None when it has no deadline. Only inside an event loop."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())


@contextlib.asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """End what runs inside when the time is over.

    Raises:
        DeadlineExceeded: `seconds` passed; what ran inside was cancelled.
    """
    before = _deadline.set(asyncio.get_running_loop().time() + seconds)
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            yield
    except TimeoutError:
        if scope.expired():
            raise DeadlineExceeded(f"The deadline of {seconds:.3g} s passed before the work was done.") from None
        raise
    finally:
        _deadline.reset(before)
