"""`python -m bench.refused`: 20,000 of each kind of refused request, and what the gateway keeps of them."""

import argparse
import sys

from bench.refused.run import Growth, measure

_HEAD = "| Kind | ends | growth kB | new series | s |\n|---|---|---:|---:|---:|"


def main() -> int:
    """Measure, print the table; 1 where a kind is not bounded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--warm-up", type=int, default=1_000)
    args = parser.parse_args()
    print(_HEAD)
    found = measure(args.count, args.warm_up, tell=lambda growth: print(_row(growth), flush=True))
    unbounded = [growth.kind for growth in found if not growth.is_bounded]
    print(f"\nGrows, has new series or is answered wrongly: {', '.join(unbounded) or 'none'}")
    return 1 if unbounded else 0


def _row(growth: Growth) -> str:
    ends = ", ".join(f"{count} x {end}" for end, count in growth.ends.most_common())
    wrong = f" (wrong: {', '.join(growth.unexpected)})" if growth.unexpected else ""
    figures = f"{growth.growth_bytes / 1e3:.0f} | {growth.new_series} | {growth.took_s:.0f}"
    return f"| {growth.kind} | {ends}{wrong} | {figures} |"


if __name__ == "__main__":
    sys.exit(main())
