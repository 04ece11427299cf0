"""Memory that is kept for later, which a limit cannot tell from use: the C library's heap and Python's garbage.

The heap's part is for glibc; elsewhere it does nothing.
"""

import asyncio
import ctypes
import gc
import logging

from servicekit.memory import MB, MemoryMeter
from servicekit.pressure import Pressure

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # of mallopt(3)
_ARENAS = 2  # glibc would make eight for each of the node's cores, each with leftovers of its own
_log = logging.getLogger("heap")
_EVERY_S = 2.0
_EVERY_TIGHT_S = 0.5
_WORTH_BYTES = MB
_MOVED_BYTES = MB // 2

_libc = ctypes.CDLL(None)
_mallopt = getattr(_libc, "mallopt", None)
_malloc_trim = getattr(_libc, "malloc_trim", None)


def tune(kept_bytes: int) -> None:
    """Let the heap keep little; to be called before the first thread starts.

    Args:
        kept_bytes: Freed buffers up to this size are kept to be used again, larger ones go back to the kernel at once.
            glibc would raise the bound to 32 MiB by itself.
    """
    if _mallopt is not None:
        for option, value in ((_ARENA_MAX, _ARENAS), (_MMAP_THRESHOLD, kept_bytes), (_TRIM_THRESHOLD, kept_bytes)):
            _mallopt(option, value)


def settle() -> None:
    """Trim, and take what is loaded now out of the garbage collector's rounds, which makes them short."""
    trim()
    gc.freeze()


def trim() -> None:
    """Drop garbage that holds itself, and give the heap's free pages back to the kernel; some milliseconds."""
    gc.collect()
    if _malloc_trim is not None:
        _malloc_trim(0)


async def keep_trimmed(memory: MemoryMeter, pressure: Pressure, *, every_s: float = _EVERY_S) -> None:
    """Trim off the event loop, for ever: when the use is above the floor and has moved since the last time.

    So the last of a burst is trimmed as well, and a service that holds steady is left alone. When memory is tight the
    wait is shorter.
    """
    after_bytes = memory.floor_bytes
    while True:
        await asyncio.sleep(min(every_s, _EVERY_TIGHT_S) if pressure.tight() else every_s)
        try:
            used_bytes = memory.used_bytes()
            if used_bytes > memory.floor_bytes + _WORTH_BYTES and abs(used_bytes - after_bytes) > _MOVED_BYTES:
                await asyncio.to_thread(trim)
                after_bytes = memory.used_bytes()
        except OSError:  # the kernel's figures could not be read; they may be there the next time
            _log.warning("memory cannot be read", exc_info=True)
