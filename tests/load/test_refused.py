"""Refused requests of every kind leave nothing behind; `make refused` sends 20,000 of each."""

import pytest

from bench.refused.run import measure

pytestmark = pytest.mark.timeout(300)
COUNT, WARM_UP = 500, 150


def test_no_kind_of_refused_request_makes_the_gateway_grow():
    found = measure(COUNT, WARM_UP, settle=False)
    unbounded = [growth for growth in found if not growth.is_bounded]
    assert not unbounded
    assert all(growth.ends.total() for growth in found)
