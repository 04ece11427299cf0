import subprocess
import sys
from pathlib import Path

import pytest

THP = Path("/sys/kernel/mm/transparent_hugepage/enabled")
TAKES = """
import mmap, sys
from pathlib import Path
from servicekit import heap
if sys.argv[1] == "tuned":
    heap.tune(1 << 20)
block = mmap.mmap(-1, 16 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
block.madvise(mmap.MADV_HUGEPAGE)
for start in range(0, len(block), 2 << 20):
    block[start] = 1
lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
print(next(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages")))
"""


@pytest.mark.skipif(not THP.exists() or "[never]" in THP.read_text(), reason="optional: a kernel with huge pages")
def test_a_tuned_process_is_given_no_huge_pages_and_another_one_is():
    kib = {}
    for how in ("tuned", "untuned"):
        done = subprocess.run([sys.executable, "-c", TAKES, how], check=True, capture_output=True, text=True)
        kib[how] = int(done.stdout)
    assert kib["tuned"] == 0
    assert kib["untuned"] > 0
