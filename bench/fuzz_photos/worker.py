"""Runs cases under a memory limit: `python -m bench.fuzz_photos.worker SEED FIRST COUNT PROGRESS_FILE`.

Writes the number of each case to a file before it starts, so that whoever watches knows which one ended the process,
and a line of JSON for each to standard output.
"""

import gc
import json
import os
import resource
import sys
from pathlib import Path

from servicekit import heap
from visionkit import threads

from bench.fuzz_photos.case import MOST_BYTES, outcome_of, photo_of, warm_up

_KEPT_BYTES = 8 << 20  # as in the detector
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Run the cases."""
    seed, first, count = map(int, sys.argv[1:4])
    heap.tune(_KEPT_BYTES)
    threads.limit(2)
    warm_up()
    gc.freeze()
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (used_bytes + 4 * MOST_BYTES,) * 2)
    with Path(sys.argv[4]).open("r+b", buffering=0) as progress:
        for index in range(first, first + count):
            os.pwrite(progress.fileno(), index.to_bytes(8, "big"), 0)
            kind, photo = photo_of(seed, index)
            outcome = outcome_of(photo)
            print(json.dumps([index, kind, outcome.name, outcome.finding, round(outcome.used_share, 3)]), flush=True)


if __name__ == "__main__":
    main()
