import subprocess
import sys

import pytest
from servicekit import heap

LEFT = """
import ctypes, sys, threading
from servicekit import heap
from servicekit.memory import MemoryLimit, MemoryMeter
kept_bytes = 8 << 20
heap.tune(kept_bytes)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
ready, ended = threading.Barrier(3), threading.Event()

def work():  # attached to an arena for as long as it lives, as a service's workers are
    blocks = [libc.malloc(1 << 20) for _ in range(6)]
    for block in blocks:
        ctypes.memset(block, 1, 1 << 20)
    for block in blocks:
        libc.free(block)
    ready.wait()
    ended.wait()

meter = MemoryMeter(MemoryLimit(0, None))
before = meter.used_bytes()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
ready.wait()
heap.trim()
if sys.argv[1] == "ends":
    heap.trim_ends(kept_bytes)
print(meter.used_bytes() - before)
ended.set()
"""


@pytest.mark.skipif(heap._malloc_trim is None, reason="optional: glibc's heap")
def test_the_ends_of_all_arenas_are_given_back_where_malloc_trim_leaves_one():
    left = {}
    for how in ("ends", "no ends"):
        done = subprocess.run([sys.executable, "-c", LEFT, how], check=True, capture_output=True, text=True)
        left[how] = int(done.stdout)
    assert left["ends"] < 2_000_000
    assert left["no ends"] > 5_000_000
