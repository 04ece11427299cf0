"""Score the running services on labelled photos: `python -m bench.score`, or `make score`.

Starts the three services and runs the project's yardstick, `tools/score.py` in the folder of `--shared`, against the
gateway: detection on the photos of `data/dev`, then colors on the same photos' labelled crops. Prints its JSON.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from climbmate_client.local import LocalStack

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Beside the repository, and no part of it."""


def main() -> int:
    """Run both scores; the exit code of the first that fails, or 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=("detection", "colors", []), help="both when none is named")
    parser.add_argument("--shared", type=Path, default=SHARED, help="the folder with tools/ and data/")
    args = parser.parse_args()
    yardstick, data = args.shared / "tools/score.py", args.shared / "data"
    for needed in (yardstick, data):
        if not needed.exists():
            parser.exit(2, f"{needed} is missing: SHARED (or --shared) must name the folder with tools/ and data/\n")
    truth = {
        "detection": [data / "dev"],
        "colors": [data / "colors/labels.csv", data / "dev/images"],
    }
    with LocalStack() as stack:
        for what in args.what or truth:
            command = [sys.executable, yardstick, stack.url, what, *truth[what]]
            done = subprocess.run(command, check=False)  # noqa: S603 - our own tool
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
