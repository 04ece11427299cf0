"""Photos tampered with, through the codec under a memory limit: `python -m bench.fuzz_photos` (`make fuzz-photos`).

Every case follows from a seed and a number, which `--case SEED/NUMBER` runs again; photos that did what must not be are
written to out/fuzz-photos.
"""

import argparse
import sys

from bench.figures import add_write_option, tell
from bench.fuzz_photos.case import MOST_BYTES, outcome_of, photo_of
from bench.fuzz_photos.run import Report, run

_MB = 1_000_000


def main() -> int:
    """Print a Markdown table; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--case", help="SEED/NUMBER: run one case again")
    add_write_option(parser)
    args = parser.parse_args()
    if args.case:
        seed, index = map(int, args.case.split("/"))
        kind, photo = photo_of(seed, index)
        print(kind, outcome_of(photo))
        return 0
    report = run(args.seed, cases=args.cases, seconds=args.seconds)
    tell(table(report), "make fuzz-photos", write=args.write)
    return 1 if report.findings else 0


def table(report: Report) -> str:
    """The report in Markdown."""
    names = sorted({name for _, name in report.outcomes})
    formats = sorted({kind for kind, _ in report.outcomes})
    rows = [f"| {kind} | {' | '.join(str(report.outcomes[kind, name]) for name in names)} |" for kind in formats]
    summary = (
        f"{report.cases} photos in {report.took_s:.0f} s, {report.cases / report.took_s:.0f} a second. "
        f"The most that one used of what was predicted: {report.used_share:.0%}."
    )
    kept = f"No crash, no exception but ours, no photo above its prediction, none above {MOST_BYTES / _MB:.0f} MB."
    found = "\n".join(["Must not be:", *(f"- {finding}" for finding in report.findings[:50])])
    head = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    return "\n".join([summary, "", *head, *rows, "", found if report.findings else kept])


if __name__ == "__main__":
    sys.exit(main())
