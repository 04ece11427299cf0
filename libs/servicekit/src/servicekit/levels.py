"""How close the memory is to its limit: told in logs, metrics, health and status, in the same words everywhere."""

import asyncio
import logging
from enum import IntEnum

from servicekit.memory import MemoryMeter

_EVERY_S = 1.0
_BACK_BY = 0.05  # share of the limit that the use has to fall below a level's bound before the log says so
_log = logging.getLogger("level")


class Level(IntEnum):
    """From the least to the most; the numbers are those of the metric and, plus one, those of the status proto."""

    NORMAL = 0
    ELEVATED = 1
    HIGH = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        """The name in logs and JSON."""
        return self.name.lower()


BOUNDS = {Level.ELEVATED: 0.6, Level.HIGH: 0.8, Level.CRITICAL: 0.9}
"""The share of the limit at which a level begins."""


def level_of(used_bytes: float, limit_bytes: int) -> Level:
    """The level of a use; `NORMAL` where there is no limit."""
    if not limit_bytes:
        return Level.NORMAL
    return max((level for level, share in BOUNDS.items() if used_bytes >= share * limit_bytes), default=Level.NORMAL)


async def keep_telling(memory: MemoryMeter, *, every_s: float = _EVERY_S) -> None:
    """Log every change of the level, for ever: a rise at once, a fall when it is clear."""
    told = Level.NORMAL
    while memory.limit_bytes:
        try:
            told = _tell(memory.used_bytes(), memory.limit_bytes, told)
        except OSError:  # the kernel's figures could not be read; they may be there the next time
            _log.warning("memory cannot be read", exc_info=True)
        await asyncio.sleep(every_s)


def _tell(used_bytes: int, limit_bytes: int, told: Level) -> Level:
    now = level_of(used_bytes, limit_bytes)
    if now < told and level_of(used_bytes + _BACK_BY * limit_bytes, limit_bytes) >= told:
        return told
    if now != told:
        fields = {
            "memory_level": now.label,
            "before": told.label,
            "used_mb": round(used_bytes / 1e6, 1),
            "limit_mb": round(limit_bytes / 1e6, 1),
            "limit_pct": round(100 * used_bytes / limit_bytes, 1),
        }
        _log.log(logging.WARNING if now >= Level.HIGH else logging.INFO, "memory level", extra={"fields": fields})
    return now
