"""How much of a request's time is left."""

import asyncio
from dataclasses import dataclass

from servicekit.errors import DeadlineExceeded

_RESERVE_SHARE = 0.05
_MAX_RESERVE_S = 0.25


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment by which the caller has an answer, and a little earlier one by which work for it must end.

    Attributes:
        at_s: The event loop's time by which the answer must have left.
        reserve_s: How much earlier the services must answer, so that the gateway still has time to say what it has.
    """

    at_s: float
    reserve_s: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """A deadline `seconds` from now; only inside an event loop."""
        reserve_s = min(_MAX_RESERVE_S, seconds * _RESERVE_SHARE)
        return cls(asyncio.get_running_loop().time() + seconds, reserve_s)

    def left_s(self) -> float:
        """Seconds until the answer must have left; negative when it is late."""
        return self.at_s - asyncio.get_running_loop().time()

    def work_s(self) -> float:
        """Seconds that a service may still take.

        Raises:
            DeadlineExceeded: None are left.
        """
        seconds = self.left_s() - self.reserve_s
        if seconds <= 0:
            raise DeadlineExceeded("The deadline passed before the work was done.")
        return seconds
