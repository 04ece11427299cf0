"""The flood in short: `make flood` is the long one."""

import pytest
from climbmate_client.local.cgroup import MemoryCgroup

from bench.flood.__main__ import WITHOUT_BUDGET
from bench.flood.report import table
from bench.flood.run import Plan, flood
from bench.profile import small_profile

pytestmark = [
    pytest.mark.skipif(not MemoryCgroup.available(), reason="optional: needs root and writable memory cgroups"),
    pytest.mark.timeout(240),
]


def test_a_short_flood_at_the_limits_kills_nobody_and_leaves_nobody_without_an_answer():
    result = flood(Plan(seconds=15, clients=32), small_profile())
    checks = result.checks()
    assert checks["no process was killed for memory"], table(result)
    assert checks["no service ended or was restarted"], table(result)
    assert checks["memory is back within 10 % of the floor and what is kept"], table(result)
    assert not result.untyped, table(result)
    assert any(outcome.status == "200" for outcome in result.outcomes), table(result)


def test_the_same_flood_kills_services_that_do_not_know_their_limit():
    result = flood(Plan(seconds=15, clients=32), small_profile(), WITHOUT_BUDGET)
    assert any(memory.oom_kills for memory in result.memory.values()), table(result)
