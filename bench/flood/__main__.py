"""`python -m bench.flood`, or `make flood`: flood the services at the small profile's limits; needs root for cgroups.

Prints the figures; the exit code is 1 when a promise was broken. With --without-budget, the control: the same services
that know of no limit, which the kernel is expected to kill.
"""

import argparse
import sys
from pathlib import Path

from bench.figures import add_write_option, tell
from bench.flood.report import table
from bench.flood.run import Plan, flood
from bench.profile import small_profile

WITHOUT_BUDGET = {"PYTHONPATH": str(Path(__file__).parent / "without_budget"), "INBOX_MB": "4096"}


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--without-budget", action="store_true")
    add_write_option(parser)
    parser.add_argument("--log", type=argparse.FileType("w"), help="where the services' log goes")
    args = parser.parse_args()
    write_log = None if args.log is None else lambda line: print(line, file=args.log, flush=True)
    environment = WITHOUT_BUDGET if args.without_budget else None
    result = flood(Plan(args.seconds, args.clients), small_profile(), environment, write_log)
    tell(table(result), "make flood", write=args.write)
    return 0 if all(result.checks().values()) else 1


if __name__ == "__main__":
    sys.exit(main())
