"""What a service does before it refuses anything: it takes less memory where that loses nothing but time.

Budgets are predictions. When what the kernel counts comes close to the limit all the same, requests are worked on one
at a time, networks give their memory back after each run, colors are named in smaller batches, and the heap is trimmed
more often. File pages do not count here: the kernel drops them by itself.
"""

from collections.abc import Callable

from servicekit.memory import MemoryMeter

TIGHT, CRITICAL = 0.8, 0.9
"""Shares of the limit: from the first on memory is saved where it costs only time, from the second on where it costs
quality, if the operator allows that."""


class Pressure:
    """Tells whether memory is tight, and counts the steps that were taken for it. May be asked from any thread."""

    def __init__(self, memory: MemoryMeter, count: Callable[[str], None]) -> None:
        """Watch `memory`; `count` is told the name of each step taken."""
        self._memory = memory
        self.count = count

    def tight(self) -> bool:
        """Whether to save memory where that costs only time; some 60 microseconds."""
        return self._above(TIGHT)

    def critical(self) -> bool:
        """Whether the steps that cost only time were not enough."""
        return self._above(CRITICAL)

    def _above(self, share: float) -> bool:
        try:
            limit_bytes = self._memory.limit_bytes
            return limit_bytes > 0 and self._memory.pinned_bytes() >= share * limit_bytes
        except OSError:  # the kernel's figures could not be read
            return False
