"""What this machine is, in a line, for figures that depend on it."""

import os
import platform
import re
from pathlib import Path

_EXTENSIONS = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "VNNI", "avx_vnni": "AVX-VNNI", "amx_int8": "AMX"}
_HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def machine(cpuinfo: str | None = None) -> str:
    """Name the processor, what of it networks use, the CPUs, the kernel and its way with huge pages.

    Args:
        cpuinfo: What /proc/cpuinfo says; None to read it.
    """
    text = Path("/proc/cpuinfo").read_text() if cpuinfo is None else cpuinfo
    fields = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", text.partition("\n\n")[0], re.MULTILINE))
    flags = fields.get("flags", "").split()
    family = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
    parts = [
        f"{fields.get('model name', platform.machine())} ({family})",
        *(name for flag, name in _EXTENSIONS.items() if flag in flags),
        f"{len(os.sched_getaffinity(0))} CPUs",
        f"Linux {platform.release()}",
        f"huge pages {_huge_pages()}",
    ]
    return ", ".join(parts)


def _huge_pages() -> str:
    chosen = re.search(r"\[(\w+)\]", _HUGE_PAGES.read_text()) if _HUGE_PAGES.exists() else None
    return chosen[1] if chosen else "unknown"
