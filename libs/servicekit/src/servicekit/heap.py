"""Memory that is kept for later, which a limit cannot tell from use: the C library's heap and Python's garbage.

The heap's part is for glibc; elsewhere it does nothing.
"""

import asyncio
import ctypes
import gc
import logging
import threading

from servicekit.memory import MB, MemoryMeter
from servicekit.pressure import Pressure

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # of mallopt(3)
_SET_THP_DISABLE = 41  # of prctl(2)
_ARENAS = 2  # glibc would make eight for each of the node's cores, each with leftovers of its own
_log = logging.getLogger("heap")
_EVERY_S = 2.0
_EVERY_TIGHT_S = 0.5
_WORTH_BYTES = MB
_MOVED_BYTES = MB // 2
_KEPT_BYTES = 1 << 20
_NOTICED_BYTES = 128 << 10  # glibc looks at an arena's end when twice 32 KiB and more are freed at once

_libc = ctypes.CDLL(None)
_mallopt = getattr(_libc, "mallopt", None)
_malloc_trim = getattr(_libc, "malloc_trim", None)
_prctl = getattr(_libc, "prctl", None)


def tune(kept_bytes: int) -> None:
    """Let the heap keep little, and take no huge pages; to be called before the first thread starts.

    Where the kernel hands out huge pages unasked (`always` in /sys/kernel/mm/transparent_hugepage/enabled), the free
    part of one stays charged to the cgroup, trimmed or not: a colorizer held 69 MB instead of 60.

    Args:
        kept_bytes: Freed buffers up to this size are kept to be used again, larger ones go back to the kernel at once.
            glibc would raise the bound to 32 MiB by itself.
    """
    if _mallopt is not None:
        for option, value in ((_ARENA_MAX, _ARENAS), (_MMAP_THRESHOLD, kept_bytes), (_TRIM_THRESHOLD, kept_bytes)):
            _mallopt(option, value)
    if _prctl is not None:
        _prctl(_SET_THP_DISABLE, 1, 0, 0, 0)


def settle() -> None:
    """Trim, and take what is loaded now out of the garbage collector's rounds, which makes them short."""
    trim()
    gc.freeze()


def trim() -> None:
    """Drop garbage that holds itself, and give the heap's free pages back to the kernel; some milliseconds."""
    gc.collect()
    if _malloc_trim is not None:
        _malloc_trim(0)


def trim_ends(kept_bytes: int) -> None:
    """Give the free end of every arena back, which malloc_trim does for the first one only.

    Up to `kept_bytes` would stay for good in each of the others. A new thread is given the arenas in turn, and what it
    frees makes glibc look at the end of its arena.

    Args:
        kept_bytes: What `tune` was told.
    """
    if _mallopt is None:
        return
    _mallopt(_TRIM_THRESHOLD, 0)
    for _ in range(_ARENAS):
        thread = threading.Thread(target=bytearray, args=(_NOTICED_BYTES,))
        thread.start()
        thread.join()
    _mallopt(_TRIM_THRESHOLD, kept_bytes)


async def keep_trimmed(
    memory: MemoryMeter, pressure: Pressure, *, kept_bytes: int = _KEPT_BYTES, every_s: float = _EVERY_S
) -> None:
    """Trim off the event loop, for ever: when the use is above the floor and has moved since the last time.

    So the last of a burst is trimmed as well, and a service that holds steady is left alone. When memory is tight the
    wait is shorter.

    Args:
        memory: Tells the use.
        pressure: Tells whether it is tight.
        kept_bytes: What `tune` was told.
        every_s: How often to look.
    """
    after_bytes = memory.floor_bytes
    while True:
        await asyncio.sleep(min(every_s, _EVERY_TIGHT_S) if pressure.tight() else every_s)
        try:
            used_bytes = memory.used_bytes()
            if used_bytes > memory.floor_bytes + _WORTH_BYTES and abs(used_bytes - after_bytes) > _MOVED_BYTES:
                await asyncio.to_thread(trim)
                await asyncio.to_thread(trim_ends, kept_bytes)
                after_bytes = memory.used_bytes()
        except OSError:  # the kernel's figures could not be read; they may be there the next time
            _log.warning("memory cannot be read", exc_info=True)
