"""`python -m bench.fuzz_http`: 100,000 hostile connections, or for some seconds, or one of them again."""

import argparse
import math
import secrets
import sys
import time

from bench.fuzz_http.run import Result, fuzz

MAX_GROWTH_BYTES = 1_000_000


def main() -> int:
    """Run, print what was found, and fail where that is anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--connections", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--only", type=int, help="the number of one case, to see it again")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    start_s = time.monotonic()
    if args.only is None:
        result = fuzz(args.seed, connections=args.connections, seconds=args.seconds)
    else:
        result = fuzz(args.seed, connections=1, seconds=math.inf, first=args.only)
    print(table(result, time.monotonic() - start_s))
    for fault in result.faults[:20]:
        print(f"FAULT: {fault}")
    return int(bool(result.faults) or result.growth_bytes > MAX_GROWTH_BYTES)


def table(result: Result, took_s: float) -> str:
    """Markdown."""
    rows = {
        "connections": f"{result.connections:,}",
        "answers that are malformed, untyped, late or missing; errors in the log": f"{len(result.faults)}",
        "answers": f"{sum(count * times for count, times in result.answers.items()):,}",
        "growth of memory after the warm-up, kB": f"{result.growth_bytes / 1000:.0f}",
        "slowest health check, ms": f"{result.slowest_s * 1000:.0f}",
        "time, s": f"{took_s:.0f}",
    }
    return "\n".join(["| | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows.items())])


if __name__ == "__main__":
    sys.exit(main())
