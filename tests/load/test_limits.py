"""A limit is tried in a real cgroup: `make limits` tries many."""

from pathlib import Path

import pytest
from climbmate_client.limits.photos import worst_photos
from climbmate_client.limits.profiles import Profile
from climbmate_client.limits.search import MIB
from climbmate_client.limits.trial import Load, Trial, survives
from climbmate_client.local.cgroup import MemoryCgroup

ROOT = Path(__file__).parents[2]
PROFILE = Profile(ROOT, "small")

pytestmark = [
    pytest.mark.skipif(not MemoryCgroup.available(), reason="optional: needs root and writable memory cgroups"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def load():
    return Load(worst_photos(ROOT / "assets" / "sample-wall.jpg"), clients=4, rounds=1)


def test_a_limit_that_the_start_does_not_fit_into_is_too_small(load):
    assert survives(Trial("colorizer", 80 * MIB, PROFILE.settings()), load) in ("does not start", "killed for memory")


def test_a_limit_that_leaves_no_room_for_a_photo_is_too_small(load):
    tight = Trial("detector", 200 * MIB, PROFILE.settings())
    assert "IMAGE_TOO_LARGE" in survives(tight, load)
