import asyncio
import contextlib
import subprocess
import sys

import pytest
from servicekit import heap
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.pressure import Pressure

KEEPS = """
import ctypes, sys
from servicekit import heap
from servicekit.memory import MemoryLimit, MemoryMeter
if sys.argv[1] == "tuned":
    heap.tune(1 << 20)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
meter = MemoryMeter(MemoryLimit(0, None))

def filled(count, size):
    blocks = [libc.malloc(size) for _ in range(count)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    return blocks

libc.free(filled(1, 30_000_000)[0])  # glibc now takes 30 MB for a usual size
before = meter.used_bytes()
blocks = filled(4, 10_000_000)
keeper = filled(1, 1000)  # holds the end of the heap
for block in blocks:
    libc.free(block)
print(meter.used_bytes() - before)
"""


@pytest.mark.skipif(heap._malloc_trim is None, reason="optional: glibc's heap")
def test_a_tuned_heap_gives_large_blocks_back_at_once_and_an_untuned_one_does_not():
    kept = {}
    for how in ("tuned", "untuned"):
        done = subprocess.run([sys.executable, "-c", KEEPS, how], check=True, capture_output=True, text=True)
        kept[how] = int(done.stdout)
    assert kept["tuned"] < 5_000_000
    assert kept["untuned"] > 30_000_000


async def test_a_burst_is_trimmed_once_and_a_quiet_service_never(monkeypatch):
    meter = MemoryMeter(MemoryLimit(0, None))
    used = [100_000_000]
    trims = []
    monkeypatch.setattr(meter, "used_bytes", lambda: used[0])
    monkeypatch.setattr(heap, "trim", lambda: trims.append(used[0]))
    meter.mark_floor()
    watching = asyncio.create_task(heap.keep_trimmed(meter, Pressure(meter, [].append), every_s=0.01))
    await asyncio.sleep(0.05)
    assert trims == []
    used[0] = 150_000_000
    await asyncio.sleep(0.1)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    assert trims == [150_000_000]
