"""Each service can do all that it offers within its shipped limit, on this processor and on those that lack its newest.

All that it offers: 300 holds, the largest palette of one's own, which loads the text tower, the largest batches, the
largest photos and files, for the size that the profile sets; from several clients at once.
"""

from pathlib import Path

import pytest
from climbmate_client.limits.photos import worst_photos
from climbmate_client.limits.profiles import Profile
from climbmate_client.limits.search import MIB
from climbmate_client.limits.trial import Load, Trial, survives
from climbmate_client.local.cgroup import MemoryCgroup
from climbmate_client.local.machine import machine

from bench.processors.instruction_sets import can_hide, hiding

ROOT = Path(__file__).parents[2]
PROFILE = Profile(ROOT, "small")
SERVICES = sorted(PROFILE.limits())
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

pytestmark = [
    pytest.mark.skipif(not MemoryCgroup.available(), reason="optional: needs root and writable memory cgroups"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def load():
    return Load(worst_photos(ROOT / "assets" / "sample-wall.jpg"), clients=4, rounds=1)


@pytest.fixture
def judged(load, figures):
    """Why a service does not survive its limit, or nothing; the figures are shown at the end of the run."""

    def judge(service, environment=None):
        limit_bytes = PROFILE.limits()[service]
        why_not = survives(Trial(service, limit_bytes, PROFILE.settings(), environment or {}), load)
        told = " ".join(f"{name}={value}" for name, value in (environment or {}).items() if name != "PYTHONPATH")
        figures.append(f"{service} within {limit_bytes // MIB} MiB {told}: {why_not or 'does all'}; {machine()}")
        return why_not

    return judge


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_all_that_it_offers_within_its_limit_on_this_machine(judged, service):
    assert judged(service) == ""


@pytest.mark.skipif(not can_hide(), reason="optional: an x86-64 machine with CPUID faulting")
@pytest.mark.parametrize("service", ["colorizer", "detector"])
@pytest.mark.parametrize("instructions", ["avx512", "avx2"])
def test_so_it_does_on_older_processors(judged, service, instructions):
    assert judged(service, hiding(instructions)) == ""


@pytest.mark.parametrize("service", SERVICES)
def test_so_it_does_where_the_kernel_hands_out_huge_pages(judged, service):
    assert judged(service, HUGE_PAGES) == ""


def test_the_profile_stays_within_half_a_gigabyte():
    assert sum(PROFILE.limits().values()) <= 512_000_000
