"""`python -m bench.field`, or `make field`: everything that broke something once, against services at their limits.

Prints a table; the exit code is 1 when a row is wrong. Needs root for cgroups, and SHARED.
"""

import argparse
import sys
from pathlib import Path

from climbmate_client.local.machine import machine

from bench.field.rows import table
from bench.field.run import Plan, try_all


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="the folder with field/make.py")
    parser.add_argument("--short", action="store_true", help="a tenth of the strangers, and no commands")
    parser.add_argument("--log", type=argparse.FileType("w"), help="where the services' log goes")
    args = parser.parse_args()
    write_log = None if args.log is None else lambda line: print(line, file=args.log, flush=True)
    plan = Plan(args.shared, share=0.1, commands=False) if args.short else Plan(args.shared)
    rows = try_all(plan, write_log)
    wrong = sum(not row.well for row in rows)
    print(table(rows))
    print(f"\n{len(rows)} rows, {wrong} wrong. {machine()}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
