"""Services that run on this machine, as processes or in containers, and their memory as the kernel counts it.

For a service that does not answer: what it holds can be seen from outside.
"""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from climbmate_client.answers import Memory

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60  # cgroup v1 says "no limit" with a number close to 2^63
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class FoundService:
    """A process of a service; its memory is that of its cgroup where that has a limit, else its own."""

    name: str
    pid: int
    memory: Memory


def find_services(names: tuple[str, ...], proc: Path = _PROC) -> list[FoundService]:
    """Find the processes that run `python -m NAME`, oldest first; those of other users only as root."""
    found = []
    for folder in sorted((each for each in proc.iterdir() if each.name.isdigit()), key=lambda each: int(each.name)):
        with contextlib.suppress(OSError, ValueError):  # it ended meanwhile, or is not ours to look at
            name = _service_of((folder / "cmdline").read_text().split("\0"))
            if name in names:
                found.append(FoundService(name, int(folder.name), memory_of(folder)))
    return found


def memory_of(process: Path) -> Memory:
    """The memory of a process by its folder in procfs.

    Raises:
        OSError: It has ended.
    """
    for line in (process / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            folder = _CGROUPS / ("" if controllers == "" else "memory") / path.lstrip("/")
            limit_bytes = _limit_bytes(folder)
            if limit_bytes:
                return Memory(_working_set_bytes(folder), limit_bytes)
    resident, shared = map(int, (process / "statm").read_text().split()[1:3])
    return Memory((resident - shared) * _PAGE_BYTES)


def _service_of(command: list[str]) -> str:
    is_python = Path(command[0]).name.startswith("python")
    return command[2] if is_python and len(command) > 2 and command[1] == "-m" else ""


def _limit_bytes(folder: Path) -> int:
    """The cgroup's own limit, v2 or v1; 0 for none."""
    if (folder / "memory.max").exists():
        text = (folder / "memory.max").read_text().strip()
        return 0 if text == "max" else int(text)
    limit_bytes = _field(folder, "hierarchical_memory_limit")
    return limit_bytes if limit_bytes < _UNLIMITED else 0


def _working_set_bytes(folder: Path) -> int:
    v2 = folder / "memory.current"
    usage = v2 if v2.exists() else folder / "memory.usage_in_bytes"
    inactive = "inactive_file" if v2.exists() else "total_inactive_file"
    return max(0, int(usage.read_text()) - _field(folder, inactive))


def _field(folder: Path, name: str) -> int:
    with contextlib.suppress(OSError):
        match = re.search(rf"^{name} (\d+)$", (folder / "memory.stat").read_text(), re.MULTILINE)
        return int(match[1]) if match else 0
    return 0
