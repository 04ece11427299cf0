"""A real memory limit for one local process: a cgroup of its own (v2 or v1; needs root)."""

import contextlib
import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_MOUNT = Path("/sys/fs/cgroup")
_REMOVE_LIMIT_S = 2.0


class MemoryCgroup:
    """A cgroup with a memory limit, made on entering and removed on leaving.

    Example:
        with MemoryCgroup("detector", 256_000_000) as cgroup:
            subprocess.run(cgroup.wrap([sys.executable, "-m", "detector"]))
            print(cgroup.peak_bytes, cgroup.oom_kills)

    Args:
        name: Part of the folder's name.
        limit_bytes: What its processes may use together, swap included where the kernel counts it.
    """

    def __init__(self, name: str, limit_bytes: int) -> None:
        self._v2 = (_MOUNT / "cgroup.controllers").exists()
        parent = _MOUNT if self._v2 else _MOUNT / "memory"
        self.folder = parent / f"climbmate-{name}-{os.getpid()}-{time.monotonic_ns()}"
        self._limit_bytes = limit_bytes

    @staticmethod
    def available() -> bool:
        """Whether this process may make memory cgroups."""
        parent = _MOUNT if (_MOUNT / "cgroup.controllers").exists() else _MOUNT / "memory"
        return os.access(parent, os.W_OK) and (parent / "cgroup.procs").exists()

    @property
    def peak_bytes(self) -> int:
        """The most that was ever charged, file pages included."""
        return self._number("memory.peak" if self._v2 else "memory.max_usage_in_bytes")

    @property
    def pinned_bytes(self) -> int:
        """What is charged now less all file pages: what the kernel cannot drop.

        Which cgroup is charged for a library's pages depends on who read the file first since the machine started.
        """
        inactive, active = (
            ("inactive_file", "active_file") if self._v2 else ("total_inactive_file", "total_active_file")
        )
        files = self._field("memory.stat", inactive) + self._field("memory.stat", active)
        return self._number("memory.current" if self._v2 else "memory.usage_in_bytes") - files

    @property
    def oom_kills(self) -> int:
        """How many of its processes the kernel has killed for memory."""
        return self._field("memory.events" if self._v2 else "memory.oom_control", "oom_kill")

    def wrap(self, command: Sequence[str]) -> list[str]:
        """A command that enters the cgroup before it becomes `command`, under the same process id."""
        procs = shlex.quote(str(self.folder / "cgroup.procs"))
        return ["/bin/sh", "-c", f'echo $$ > {procs} && exec "$@"', "sh", *command]

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self._write("memory.max" if self._v2 else "memory.limit_in_bytes", self._limit_bytes)
        with contextlib.suppress(OSError):  # kernels without swap accounting lack the file
            swap_bytes = 0 if self._v2 else self._limit_bytes
            self._write("memory.swap.max" if self._v2 else "memory.memsw.limit_in_bytes", swap_bytes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end_s = time.monotonic() + _REMOVE_LIMIT_S
        while self.folder.exists():
            with contextlib.suppress(OSError):  # busy until its last process is gone
                self.folder.rmdir()
            if time.monotonic() > end_s:
                return
            time.sleep(0.02)

    def _write(self, name: str, value: int) -> None:
        (self.folder / name).write_text(str(value))

    def _number(self, name: str) -> int:
        return int((self.folder / name).read_text())

    def _field(self, name: str, key: str) -> int:
        for line in (self.folder / name).read_text().splitlines():
            if line.startswith(f"{key} "):
                return int(line.split()[1])
        return 0
