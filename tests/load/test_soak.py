"""The soak in short: `make soak` is the long one."""

import pytest

from bench.soak.run import LEAK, slope, soak

pytestmark = pytest.mark.timeout(600)
REQUESTS = 5000


def test_a_slope_is_that_of_most_pairs():
    assert slope([0, 1, 2, 3, 4], [5, 7, 9, 100, 13]) == 2.0
    assert slope([1], [1]) == 0.0


def test_thousands_of_photos_and_clients_that_leave_do_not_make_any_service_grow():
    measured = soak(REQUESTS)
    assert not measured.grows(), measured.table()
    assert set(measured.ends) == {"answered", "left"}, measured.table()


def test_a_kilobyte_that_each_request_leaves_behind_is_noticed_in_every_service():
    measured = soak(REQUESTS, LEAK)
    assert measured.grows() == ["detector", "colorizer", "gateway"], measured.table()
