"""What the services hold, loaded and warm, on this processor and on those that lack its newer instructions.

`python -m bench.floors` (`make floors`), as root: the small profile, each service in a cgroup with its limit, after a
photo. The last line has glibc ask for huge pages, as a kernel does that hands them out to all (`always`).
"""

import argparse
import time
from collections.abc import Iterator, Mapping

import httpx
from climbmate_client.local import ANEW, LocalStack
from climbmate_client.local.machine import machine

from bench.faults.requests import SAMPLE
from bench.figures import add_write_option, tell
from bench.processors.instruction_sets import INSTRUCTION_SETS, can_hide, hiding
from bench.profile import small_profile

_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_SETTLE_S = 4.0
_JPEG = {"content-type": "image/jpeg"}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_write_option(parser)
    args = parser.parse_args()
    rows = [f"| {name} | {' | '.join(f'{held / 1e6:.1f}' for held in _held(own))} |" for name, own in _processors()]
    head = "| MB loaded and warm | detector | colorizer | gateway |\n|---|---:|---:|---:|"
    tell("\n".join([head, *rows, "", machine()]), "make floors", write=args.write)


def _processors() -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "as it is", {}
    if can_hide():
        for each in INSTRUCTION_SETS.values():
            yield f"no more than {each.name} ({each.like})", hiding(each.name)
    yield "with huge pages", _HUGE_PAGES


def _held(environment: Mapping[str, str]) -> list[int]:
    """What each holds after a photo, file pages not counted, in the order of the table."""
    profile = small_profile()
    with LocalStack(
        own_settings={**ANEW, **environment},
        service_settings=profile.settings,
        memory_limits_bytes=profile.limits_bytes,
    ) as stack:
        httpx.post(f"{stack.url}/api/analyze", content=SAMPLE, headers=_JPEG, timeout=60).raise_for_status()
        time.sleep(_SETTLE_S)
        return [stack.cgroups[name].pinned_bytes for name in ("detector", "colorizer", "gateway")]


if __name__ == "__main__":
    main()
