from pathlib import Path

import pytest
from servicekit.cpus import available_cpus
from servicekit.memory import MemoryMeter, find_limit


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def v2(tmp_path: Path) -> tuple[Path, Path]:
    proc = tree(tmp_path / "proc", {"cgroup": "0::/pods/one\n"})
    root = tree(
        tmp_path / "cgroup",
        {
            "cgroup.controllers": "memory",
            "memory.max": "max\n",
            "pods/memory.max": "200000000\n",
            "pods/memory.current": "150000000\n",
            "pods/memory.stat": "anon 1\ninactive_file 40000000\nactive_file 7\n",
            "pods/one/memory.max": "300000000\n",
            "pods/one/memory.current": "90000000\n",
            "pods/one/memory.stat": "anon 1\ninactive_file 0\nactive_file 0\n",
        },
    )
    return root, proc


@pytest.fixture
def v1(tmp_path: Path) -> tuple[Path, Path]:
    proc = tree(tmp_path / "proc", {"cgroup": "5:cpu,cpuacct:/x\n4:memory:/pods/one\n"})
    stat = "inactive_file 1\nhierarchical_memory_limit 256000000\n"
    stat += "total_inactive_file 30000000\ntotal_active_file 2000000\n"
    root = tree(
        tmp_path / "cgroup",
        {"memory/pods/one/memory.usage_in_bytes": "100000000\n", "memory/pods/one/memory.stat": stat},
    )
    return root, proc


def test_without_a_cgroup_and_a_setting_there_is_no_limit(tmp_path):
    limit = find_limit(root=tree(tmp_path, {"cgroup": ""}), proc=tmp_path)
    assert (limit.limit_bytes, limit.cgroup) == (0, None)
    assert MemoryMeter(limit).used_bytes() > 1_000_000


def test_in_v2_the_smallest_limit_on_the_way_up_counts_with_all_use_below_it_but_inactive_file_pages(v2):
    limit = find_limit(root=v2[0], proc=v2[1])
    assert limit.limit_bytes == 200_000_000
    assert MemoryMeter(limit).used_bytes() == 110_000_000


def test_in_v1_the_hierarchys_limit_counts_and_inactive_file_pages_do_not(v1):
    limit = find_limit(root=v1[0], proc=v1[1])
    assert limit.limit_bytes == 256_000_000
    assert MemoryMeter(limit).used_bytes() == 70_000_000


def test_in_v2_no_file_page_is_pinned(v2):
    assert MemoryMeter(find_limit(root=v2[0], proc=v2[1])).pinned_bytes() == 109_999_993


def test_in_v1_no_file_page_is_pinned(v1):
    assert MemoryMeter(find_limit(root=v1[0], proc=v1[1])).pinned_bytes() == 68_000_000


def test_inside_a_container_the_mounts_root_is_the_cgroup(v2):
    root, proc = v2
    tree(proc, {"cgroup": "0::/not/mounted/here\n"})
    tree(root, {"memory.max": "99000000\n", "memory.current": "1000\n", "memory.stat": "inactive_file 0\n"})
    assert find_limit(root=root, proc=proc).limit_bytes == 99_000_000


@pytest.mark.parametrize(("setting_mb", "expected"), [(0, 200_000_000), (150, 150_000_000), (900, 200_000_000)])
def test_a_setting_can_only_lower_the_cgroups_limit(v2, setting_mb, expected):
    assert find_limit(setting_mb, root=v2[0], proc=v2[1]).limit_bytes == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
    ],
)
def test_the_cpu_quota_bounds_the_threads(tmp_path, files, expected):
    without_quota = available_cpus(tmp_path)
    assert available_cpus(tree(tmp_path, files)) == (expected or without_quota)
