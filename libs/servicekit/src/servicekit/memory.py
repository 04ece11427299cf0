"""How much memory this process may use, and how much it uses.

The truth is the container's cgroup: what it uses less the file pages that the kernel drops first (cAdvisor's "working
set"). A process outside a limited cgroup, as on a developer's machine, is measured by its own resident pages instead,
because the cgroup there holds other processes too.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
_V1_UNLIMITED = 1 << 60  # cgroup v1 says "no limit" with a number close to 2^63
_CGROUPS = Path("/sys/fs/cgroup")
_PROCESS = Path("/proc/self")
_STATM = str(_PROCESS / "statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """A limit and where it comes from.

    Attributes:
        limit_bytes: 0 when there is none.
        cgroup: The folder whose usage counts against it; None when the process itself is measured.
    """

    limit_bytes: int
    cgroup: Path | None


class MemoryMeter:
    """Reads the memory in use; about 10 microseconds a reading, because every stage of every request takes two."""

    def __init__(self, limit: MemoryLimit) -> None:
        self._usage = self._stat = self._prefix = ""
        if limit.cgroup is not None:
            v2 = (limit.cgroup / "memory.current").exists()
            self._usage = str(limit.cgroup / ("memory.current" if v2 else "memory.usage_in_bytes"))
            self._stat = str(limit.cgroup / "memory.stat")
            self._prefix = "" if v2 else "total_"
        self.limit_bytes = limit.limit_bytes
        self.floor_bytes = 0

    def used_bytes(self) -> int:
        """The working set in bytes."""
        return self._usage_less("inactive_file")

    def pinned_bytes(self) -> int:
        """What the kernel cannot drop when memory gets tight: the use less all file pages.

        The working set of a service that has just started depends on whether the image's files had been read before: a
        cold start under a tight limit counts tens of megabytes of libraries as active that a warm start does not.
        """
        return self._usage_less("inactive_file", "active_file")

    def _usage_less(self, *kinds: str) -> int:
        if not self._usage:
            return _resident_bytes()
        usage, stat = int(_read(self._usage)), _read(self._stat)
        return max(0, usage - sum(_figure(stat, self._prefix + kind) for kind in kinds))

    def mark_floor(self) -> None:
        """Remember the present use as what the loaded and warmed service needs without work."""
        self.floor_bytes = self.used_bytes()


def find_limit(limit_mb: int = 0, *, root: Path = _CGROUPS, proc: Path = _PROCESS) -> MemoryLimit:
    """Find the memory limit of this process: cgroup v2, then v1, then the setting.

    Args:
        limit_mb: `MEMORY_LIMIT_MB`, in megabytes of 10^6 bytes; 0 for none. A smaller cgroup limit wins.
        root: Where cgroups are mounted.
        proc: The process's folder in procfs.
    """
    found = _cgroup_limit(root, proc)
    setting_bytes = limit_mb * MB
    if found is None:
        return MemoryLimit(setting_bytes, None)
    if setting_bytes and setting_bytes < found.limit_bytes:
        return MemoryLimit(setting_bytes, found.cgroup)
    return found


def _cgroup_limit(root: Path, proc: Path) -> MemoryLimit | None:
    for line in (proc / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" and (root / "cgroup.controllers").exists():
            found = _limit_v2(root, path)
        elif "memory" in controllers.split(","):
            found = _limit_v1(root / "memory", path)
        else:
            continue
        if found is not None:
            return found
    return None


def _limit_v2(root: Path, path: str) -> MemoryLimit | None:
    """The smallest limit on the way up, and the cgroup that has it: what others use below it counts, too."""
    own = _existing(root, path)
    limits = [MemoryLimit(int(text), folder) for folder, text in _values(root, own, "memory.max") if text != "max"]
    return min(limits, key=lambda limit: limit.limit_bytes, default=None)


def _limit_v1(root: Path, path: str) -> MemoryLimit | None:
    own = _existing(root, path)
    if not (own / "memory.stat").exists():
        return None
    limit_bytes = _figure(_read(own / "memory.stat"), "hierarchical_memory_limit")
    return MemoryLimit(limit_bytes, own) if 0 < limit_bytes < _V1_UNLIMITED else None


def _existing(root: Path, path: str) -> Path:
    """The process's cgroup folder; inside a container the mount's root is the container's own cgroup."""
    own = root / path.lstrip("/")
    return own if own.exists() else root


def _values(root: Path, own: Path, name: str) -> Iterator[tuple[Path, str]]:
    """A cgroup and all above it that have the file `name`, with its text."""
    for folder in (own, *own.parents):
        if (folder / name).exists():
            yield folder, (folder / name).read_text().strip()
        if folder == root:
            return


def _figure(stat: str, name: str) -> int:
    """A figure of `memory.stat`, one `name figure` on each line; 0 where it is not there."""
    _, found, rest = f"\n{stat}".partition(f"\n{name} ")
    return int(rest.partition("\n")[0]) if found else 0


def _resident_bytes() -> int:
    """Anonymous pages of this process: resident less file-backed ones."""
    fields = _read(_STATM).split()
    return (int(fields[1]) - int(fields[2])) * _PAGE_BYTES


def _read(file: Path | str) -> str:
    """The text of one of the kernel's files; a third of the time that `read_text` takes."""
    with open(file, "rb", buffering=0) as opened:  # noqa: PTH123 - `Path.open` takes as long as the rest
        return opened.read().decode()
