import asyncio

from gateway.warm_up import warm_up


async def test_a_crowd_passes_through_the_gateway_before_it_serves():
    before = asyncio.all_tasks()
    await warm_up(chunk_holds=40)
    assert asyncio.all_tasks() == before


async def test_what_is_warmed_up_with_is_counted_as_no_analysis(gate):
    assert "climbmate_holds_count 0.0" in (await gate.http.get("/metrics")).text
