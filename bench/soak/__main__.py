"""`python -m bench.soak`, or `make soak`: thousands of analyses, and whether any service's memory grows.

A toy network stands in for the detector's, three in ten clients leave in the middle of their stream. The exit code is 1
when memory grows. With --leak, the control: every request leaves a kilobyte behind, which has to be noticed.
"""

import argparse
import sys
import time

from bench.figures import add_write_option, tell
from bench.soak.run import LEAK, MOST_MB_PER_1000, soak


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--leak", action="store_true")
    add_write_option(parser)
    args = parser.parse_args()
    start_s = time.monotonic()
    measured = soak(args.requests, LEAK if args.leak else None)
    growing = measured.grows()
    verdict = f"Grows by more than {MOST_MB_PER_1000:g} MB for each 1,000 requests: {', '.join(growing) or 'none'}"
    tell(f"{measured.table()}\n\n{verdict} ({time.monotonic() - start_s:.0f} s)", "make soak", write=args.write)
    return 1 if growing else 0


if __name__ == "__main__":
    sys.exit(main())
