"""The smallest limit that a service survives, by bisection, and what to give it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

MIB = 1 << 20
STEP_BYTES = 2 * MIB
"""Limits are tried in steps of this size, so that a second run finds the same one or its neighbor."""
HEADROOM = 1.05
"""For what another machine, kernel or hour needs more, beside the reserve that each service keeps of its limit."""


@dataclass(frozen=True, slots=True)
class Found:
    """A service's limit.

    Attributes:
        smallest_bytes: The smallest that it survived.
        why_not_less: How it ended one step below.
    """

    smallest_bytes: int
    why_not_less: str

    @property
    def limit_bytes(self) -> int:
        """With headroom, rounded up to a step."""
        return math.ceil(HEADROOM * self.smallest_bytes / STEP_BYTES) * STEP_BYTES


class NoLimitIsEnough(Exception):
    """The service does not survive the largest limit; the text says why."""


def smallest(survives: Callable[[int], str], *, low_bytes: int, high_bytes: int) -> Found:
    """Find the smallest limit between two.

    Args:
        survives: Tries a limit in bytes; gives why it was too small, or nothing.
        low_bytes: Surely too small.
        high_bytes: Expected to be enough.

    Raises:
        NoLimitIsEnough: `high_bytes` was too small as well.

    Example:
        >>> found = smallest(lambda tried: "" if tried >= 100 * MIB else "killed", low_bytes=0, high_bytes=512 * MIB)
        >>> found.smallest_bytes // MIB, found.limit_bytes // MIB, found.why_not_less
        (100, 106, 'killed')
    """
    low, high = low_bytes // STEP_BYTES, math.ceil(high_bytes / STEP_BYTES)
    too_small = survives(high * STEP_BYTES)
    if too_small:
        raise NoLimitIsEnough(too_small)
    why_not_less = ""
    while high - low > 1:
        middle = (low + high) // 2
        too_small = survives(middle * STEP_BYTES)
        if too_small:
            low, why_not_less = middle, too_small
        else:
            high = middle
    return Found(high * STEP_BYTES, why_not_less)
