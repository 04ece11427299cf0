"""How many CPUs this process may use."""

import math
import os
from pathlib import Path


def available_cpus(root: Path = Path("/sys/fs/cgroup")) -> int:
    """The cgroup's CPU quota rounded up, or the CPUs that the scheduler allows; at least 1.

    Thread pools that count the node's cores instead are slowed down by the quota (microsoft/onnxruntime#29510).
    """
    allowed = len(os.sched_getaffinity(0))
    quota = _quota(root)
    return max(1, min(allowed, math.ceil(quota))) if quota else allowed


def _quota(root: Path) -> float | None:
    v2 = root / "cpu.max"
    if v2.exists():
        quota, period = v2.read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    v1 = root / "cpu" / "cpu.cfs_quota_us"
    if not v1.exists() or int(v1.read_text()) <= 0:
        return None
    return int(v1.read_text()) / int((root / "cpu" / "cpu.cfs_period_us").read_text())
