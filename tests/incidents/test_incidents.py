"""The incident log's part A, replayed: climbmate passes every line, the stand-in of the first version fails them.

A8 (a fix that is undone must not go unnoticed) is what the second test is for: a scenario that the first version
passes would prove nothing.
"""

import numpy as np
import pytest
from colorizer.pipeline import UnusableHold, core_of, prepare_crop

from bench.incidents.scenarios import SCENARIOS, Broken
from bench.incidents.subjects import climbmate, monolith

pytestmark = pytest.mark.timeout(180)
FITS_THE_FIRST_VERSION_TOO = {"A3"}  # on a machine without a limit


@pytest.mark.parametrize("line", SCENARIOS)
def test_climbmate_cannot_repeat(line):
    SCENARIOS[line](climbmate)


@pytest.mark.parametrize("line", [line for line in SCENARIOS if line not in FITS_THE_FIRST_VERSION_TOO])
def test_the_first_version_fails(line):
    with pytest.raises(Broken):
        SCENARIOS[line](monolith)


@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_a11_a_thin_hold_keeps_its_pixels_and_its_color(thickness):
    mask = np.zeros((40, 80), np.bool_)
    mask[20 : 20 + thickness, 5:75] = True
    crop = np.full((40, 80, 3), (200, 180, 150), np.uint8)
    crop[mask] = (20, 60, 200)
    core = core_of(mask)
    assert core.any()
    assert not (core & ~mask).any()
    assert prepare_crop(crop, core, 64).rgb == (20, 60, 200)


def test_a11_a_hold_without_pixels_is_named_unusable_instead_of_failing_its_neighbors():
    with pytest.raises(UnusableHold):
        core_of(np.zeros((10, 10), np.bool_))
