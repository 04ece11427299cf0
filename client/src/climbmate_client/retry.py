"""When a request is worth another attempt, and how long to wait before it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from climbmate_client.errors import ClimbmateError, RefusedError, Unreachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """How to repeat requests that may succeed later: those refused for now, and those that did not get through.

    The wait is what the gateway asks for in `Retry-After`, else `first_wait_s`, doubled each time; up to a quarter is
    added at random, so that many clients do not return at once. A gateway that asks for more than `longest_wait_s`
    gets no further attempt.

    Example:
        >>> from climbmate_client import Client, Retry
        >>> patient = Client("http://127.0.0.1:8000", retry=Retry(attempts=3))

    Attributes:
        attempts: How often a request is sent, at most; 1 means no repetition.
    """

    attempts: int = 3
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0

    def wait_s(self, error: ClimbmateError, attempt: int) -> float | None:
        """Tell how long to wait before the next attempt.

        Args:
            error: What the attempt ended with.
            attempt: Its number, from 1.

        Returns:
            Seconds, or None when the error is final.
        """
        if attempt >= self.attempts or not _may_succeed_later(error):
            return None
        asked_s = error.retry_after_s if isinstance(error, RefusedError) else None
        wait_s = self.first_wait_s * 2 ** (attempt - 1) if asked_s is None else asked_s
        return None if wait_s > self.longest_wait_s else wait_s * random.uniform(1.0, 1.25)  # noqa: S311 - no secret

    def call(self, attempt: Callable[[], T]) -> T:
        """Make attempts until one succeeds or fails for good; waits in between."""
        number = 1
        while True:
            try:
                return attempt()
            except ClimbmateError as error:
                wait_s = self.wait_s(error, number)
                if wait_s is None:
                    raise
            time.sleep(wait_s)
            number += 1

    async def call_async(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make attempts until one succeeds or fails for good; waits in between without blocking the event loop."""
        number = 1
        while True:
            try:
                return await attempt()
            except ClimbmateError as error:
                wait_s = self.wait_s(error, number)
                if wait_s is None:
                    raise
            await asyncio.sleep(wait_s)
            number += 1


NO_RETRY = Retry(attempts=1)
"""One attempt, then the error."""


def _may_succeed_later(error: ClimbmateError) -> bool:
    return isinstance(error, Unreachable) or (isinstance(error, RefusedError) and error.retryable)
