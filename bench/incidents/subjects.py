"""Who the scenarios are played against: climbmate, and the stand-in of its first version."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx
from climbmate_client.local import ANEW, LocalStack, StartFailed
from climbmate_client.local.addresses import LOOPBACK, choose
from climbmate_client.local.cgroup import MemoryCgroup
from climbmate_client.settings import service_environment

from bench.profile import small_profile

_ROOT = Path(__file__).parents[2]
_START_LIMIT_S = 60.0
_KIB = 1024
_RESET_PEAK = "5"


@dataclass(frozen=True, slots=True)
class Running:
    """A subject that serves.

    Attributes:
        url: Where.
        pids: Its processes.
    """

    url: str
    pids: tuple[int, ...]

    def memory_bytes(self) -> int:
        """What its processes hold now, file pages not counted."""
        return sum(status_bytes(pid, "RssAnon") for pid in self.pids)

    def reset_peak(self) -> None:
        """Let `peak_bytes` count from now."""
        for pid in self.pids:
            Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)

    def peak_bytes(self) -> int:
        """The sum of the processes' peaks, file pages included."""
        return sum(status_bytes(pid, "VmHWM") for pid in self.pids)

    def http(self, timeout_s: float = 30.0) -> httpx.Client:
        """A client of its own."""
        return httpx.Client(base_url=self.url, timeout=timeout_s, trust_env=False)


Start = Callable[[Mapping[str, str]], AbstractContextManager[Running]]
"""Starts a subject with the settings given, and stops it."""


class CannotStart(Exception):
    """The subject did not come up; the text says why."""


@contextlib.contextmanager
def climbmate(settings: Mapping[str, str]) -> Iterator[Running]:
    """The three services in the small profile, within its memory limits where cgroups can be made."""
    profile = small_profile()
    limits = profile.limits_bytes if MemoryCgroup.available() else {}
    try:
        with LocalStack(
            own_settings={**ANEW, **settings}, service_settings=profile.settings, memory_limits_bytes=limits
        ) as stack:
            yield Running(stack.url, tuple(process.pid for process in stack.processes.values()))
    except StartFailed as error:
        raise CannotStart(str(error)) from error


@contextlib.contextmanager
def monolith(settings: Mapping[str, str]) -> Iterator[Running]:
    """The stand-in, without a limit."""
    host, _, port = choose(Path(), port=0, grpc_port=None).http.rpartition(":")
    command = [sys.executable, "-m", "bench.monolith", "--port", port]
    with subprocess.Popen(command, cwd=_ROOT, env=service_environment(settings)) as process:  # noqa: S603 - ours
        try:
            _wait_until_it_answers(f"http://{LOOPBACK}:{port}", process)
            yield Running(f"http://{host}:{port}", (process.pid,))
        finally:
            process.kill()


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    end_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < end_s and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/livez", trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise CannotStart("The stand-in does not answer.")


def status_bytes(pid: int, key: str) -> int:
    """A figure of a process, such as `RssAnon` or `VmHWM`, in bytes."""
    match = re.search(rf"^{key}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(match[1]) * _KIB if match else 0


def pss_bytes(pid: int) -> int:
    """A process's proportional set size: pages that it shares with others count in part."""
    found = re.search(r"^Pss:\s+(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) * _KIB if found else 0
