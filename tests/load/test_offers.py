"""Each service can do all that it offers within its shipped limit, on this processor and on those that lack its newest.

All that it offers: 300 holds, the largest palette of one's own, which loads the text tower, the largest batches, the
largest photos and files, for the size that the profile sets; from several clients at once.
"""

from pathlib import Path

import grpc
import pytest
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.hold.v1 import hold_pb2
from climbmate_client.limits.photos import worst_photos
from climbmate_client.limits.profiles import Profile
from climbmate_client.limits.search import MIB
from climbmate_client.limits.trial import Load, Trial, survives
from climbmate_client.local import ANEW, LocalStack
from climbmate_client.local.cgroup import MemoryCgroup
from climbmate_client.local.machine import machine
from servicekit.limits import MAX_HOLDS
from servicekit.palettes import MAX_COLORS, MAX_PROMPT_CHARS

from bench.faults.requests import target_of
from bench.processors.instruction_sets import can_hide, hiding

ROOT = Path(__file__).parents[2]
PROFILE = Profile(ROOT, "small")
SERVICES = sorted(PROFILE.limits())
SIDE_PX = 96
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


def test_the_colorizer_takes_the_largest_call_within_its_limit():
    settings, limits = PROFILE.settings(), PROFILE.limits()
    with LocalStack(
        own_settings=ANEW, service_settings=settings, memory_limits_bytes={"colorizer": limits["colorizer"]}
    ) as stack:
        with grpc.insecure_channel(target_of(stack, "colorizer")) as channel:
            answer = colorizer_pb2_grpc.ColorizerServiceStub(channel).ColorHolds(largest_call(), timeout=60)
        assert len(answer.colors) == MAX_HOLDS
        assert not stack.cgroups["colorizer"].oom_kills


def largest_call():
    """As many crops as a photo can have holds, of the size that the detector makes, and the longest palette."""
    mask = hold_pb2.Mask(width=SIDE_PX, height=SIDE_PX, bits=b"\xff" * (SIDE_PX * SIDE_PX // 8))
    rgb = bytes(range(256)) * (SIDE_PX * SIDE_PX * 3 // 256)
    crops = [colorizer_pb2.Crop(hold_id=number, rgb=rgb, mask=mask) for number in range(MAX_HOLDS)]
    colors = [
        hold_pb2.ColorPrompt(name=f"shade {number}", prompt=f"number {number} ".ljust(MAX_PROMPT_CHARS, "x"))
        for number in range(MAX_COLORS)
    ]
    return colorizer_pb2.ColorHoldsRequest(crops=crops, palette=colors)


def test_the_profile_stays_within_half_a_gigabyte():
    assert sum(PROFILE.limits().values()) <= 512_000_000
