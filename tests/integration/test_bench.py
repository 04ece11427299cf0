"""The bench still runs and prints what the docs quote."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_bench_prints_time_by_stage_the_ratio_and_each_services_peak_memory():
    command = [sys.executable, "-m", "bench.http_photo", "--rounds", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = dict(re.findall(r"^\| \**([^|*]+?)\** \| ([\d.]+) \|", done.stdout, re.MULTILINE))
    assert {"bare sum", "bare: decode", "detector: decode", "colorizer: embed", "detector", "gateway"} <= set(rows)
    bare_ms = sum(float(rows[f"bare: {part}"]) for part in ("decode", "detect", "embed"))
    assert abs(bare_ms - float(rows["bare sum"])) <= 0.5 * float(rows["bare sum"])
    assert re.search(r"Total / bare sum at p50: \*\*\d+\.\d\d\*\*", done.stdout)
