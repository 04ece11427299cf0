"""Services that start in any order, and that are restarted under load."""

import asyncio
import itertools
import time

import pytest
from climbmate_client.local import ANEW, LocalStack

from bench.faults.requests import recovers, requests, untyped, watched
from bench.flood.client import BROKEN

pytestmark = pytest.mark.timeout(150)
SERVICES = ("detector", "colorizer", "gateway")
REFUSED_S = 0.5


@pytest.fixture(scope="module")
def stack():
    """The three services, each started again when it ends."""
    with watched(LocalStack(own_settings=ANEW)) as running:
        yield running


@pytest.mark.parametrize("order", list(itertools.permutations(SERVICES)), ids="-".join)
async def test_started_in_any_order_requests_end_typed_and_all_comes_up(order):
    with LocalStack(own_settings=ANEW) as stack:
        for name in SERVICES:
            stack.processes[name].kill()
        ended = []
        for name in order:
            stack.processes[name].start()
            ended += await requests(stack.url, 2)
            await asyncio.sleep(0.2)
        not_answered = [outcome for outcome in ended if outcome.status == BROKEN]
        assert all(outcome.took_s < REFUSED_S for outcome in not_answered)  # no gateway yet: refused at once
        assert not untyped([outcome for outcome in ended if outcome.status != BROKEN])
        assert recovers(stack.url)


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_restarted_under_load_loses_no_request_without_a_word(stack, name):
    sending = [asyncio.create_task(load(stack.url)) for _ in range(4)]
    await asyncio.sleep(0.5)
    stack.processes[name].terminate()
    outcomes = [outcome for each in await asyncio.gather(*sending) for outcome in each]
    if name == "gateway":  # who comes while there is none is refused at once, who was there is answered
        outcomes = [each for each in outcomes if each.status != BROKEN or each.took_s > REFUSED_S]
    assert not untyped(outcomes)
    assert any(outcome.status == "200" for outcome in outcomes)
    assert recovers(stack.url)


async def load(url, seconds=5.0):
    """One client that sends photo after photo."""
    outcomes, end_s = [], time.monotonic() + seconds
    while time.monotonic() < end_s:
        outcomes += await requests(url, 1, deadline_s=8)
        await asyncio.sleep(0.05)
    return outcomes
