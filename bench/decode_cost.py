"""The predicted and the measured memory of every kind of photo: `python -m bench.decode_cost` (`make decode-cost`)."""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.figures import add_write_option, tell
from bench.photos.cache import photo_path
from bench.photos.honest import HONEST

MAX_SIDE_PX = 1280
_ROOT = Path(__file__).parents[1]
_LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class DecodeCost:
    """What decoding one photo was said to take and took, in bytes above what the process had before."""

    predicted_bytes: int
    measured_bytes: int
    pixels: int


def measure(photo: Path, max_side_px: int = MAX_SIDE_PX) -> DecodeCost:
    """Decode a photo in a fresh process."""
    command = [sys.executable, "-m", "bench.photos.decode_peak", str(photo), str(max_side_px)]
    done = subprocess.run(  # noqa: S603 - ourselves
        command, cwd=_ROOT, check=True, capture_output=True, text=True, timeout=_LIMIT_S
    )
    return DecodeCost(*map(int, done.stdout.split()))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_write_option(parser)
    args = parser.parse_args()
    rows = ["| Photo | megapixels | predicted MB | measured MB | ratio |", "|---|---:|---:|---:|---:|"]
    for name in HONEST:
        cost = measure(photo_path(name, HONEST))
        rows.append(
            f"| {name} | {cost.pixels / 1e6:.1f} | {cost.predicted_bytes / 1e6:.1f} | {cost.measured_bytes / 1e6:.1f} "
            f"| {cost.predicted_bytes / cost.measured_bytes:.2f} |"
        )
    tell("\n".join(rows), "make decode-cost", write=args.write)


if __name__ == "__main__":
    main()
