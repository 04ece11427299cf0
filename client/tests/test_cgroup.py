import subprocess
import sys

import pytest
from climbmate_client.local.cgroup import MemoryCgroup

MB = 1_000_000

pytestmark = pytest.mark.skipif(not MemoryCgroup.available(), reason="optional: needs root and writable memory cgroups")


def run(cgroup: MemoryCgroup, code: str) -> int:
    return subprocess.run(cgroup.wrap([sys.executable, "-c", code]), check=False).returncode


def test_a_process_within_its_limit_lives_and_is_measured():
    with MemoryCgroup("test", 100 * MB) as cgroup:
        assert run(cgroup, "b = bytearray(40_000_000)") == 0
        assert cgroup.oom_kills == 0
        assert 40 * MB < cgroup.peak_bytes <= 100 * MB


def test_a_process_beyond_its_limit_is_killed_by_the_kernel_and_counted():
    with MemoryCgroup("test", 50 * MB) as cgroup:
        assert run(cgroup, "b = b'x' * 200_000_000") == -9
        assert cgroup.oom_kills == 1


def test_the_cgroup_is_gone_afterwards():
    with MemoryCgroup("test", 50 * MB) as cgroup:
        assert cgroup.folder.exists()
    assert not cgroup.folder.exists()
