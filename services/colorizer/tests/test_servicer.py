import asyncio

import grpc
import pytest
from climbmate.colorizer.v1 import colorizer_pb2
from colorizer.colorist import Colorist
from servicekit.budget import MemoryBudget

RED, BLUE = (200, 20, 20), (20, 20, 200)


def request(*crops):
    return colorizer_pb2.ColorHoldsRequest(crops=crops)


async def test_an_empty_chunk_gets_an_empty_answer(serve, toy_colorist):
    async with serve(toy_colorist) as stub:
        answer = await stub.ColorHolds(request())
    assert list(answer.colors) == []
    assert answer.model.name == "toy"


async def test_colors_come_with_the_model_and_what_they_cost(serve, toy_colorist, message):
    async with serve(toy_colorist) as stub:
        answer = await stub.ColorHolds(request(message(RED, hold_id=3), message(BLUE, hold_id=1)))
    assert [(c.hold_id, c.color.name) for c in answer.colors] == [(3, "red"), (1, "blue")]
    assert (answer.colors[0].color.rgb.red, answer.colors[0].color.rgb.green) == (200, 20)
    assert [stage.name for stage in answer.stages] == ["erode", "embed", "match"]
    assert all(stage.memory_before_bytes > 0 for stage in answer.stages)


async def test_one_bad_hold_is_one_unknown(serve, toy_colorist, message):
    async with serve(toy_colorist) as stub:
        answer = await stub.ColorHolds(request(message(RED), message(RED, rgb=b"short"), message(BLUE)))
    assert [c.color.name for c in answer.colors] == ["red", "unknown", "blue"]
    assert answer.colors[1].color.unknown_reason


async def test_too_many_crops_are_refused_with_figures(serve, toy_colorist):
    async with serve(toy_colorist) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ColorHolds(request(*[colorizer_pb2.Crop()] * 301))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "300" in caught.value.details()


async def test_what_can_never_fit_the_memory_is_refused_before_the_work(serve, toy_colorist, message):
    tight = MemoryBudget(toy_colorist.cost_bytes(1), queue_limit=8)
    async with serve(toy_colorist, budget=tight) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ColorHolds(request(message(RED), message(RED)))
        answer = await stub.ColorHolds(request(message(RED)))
    assert "memory" in caught.value.details()
    assert [c.color.name for c in answer.colors] == ["red"]


async def test_the_palette_is_told(serve, toy_colorist):
    async with serve(toy_colorist) as stub:
        answer = await stub.GetPalette(colorizer_pb2.GetPaletteRequest())
    assert [c.name for c in answer.colors] == ["red", "green", "blue"]


async def test_a_caller_who_leaves_at_work_disturbs_no_other(serve, held_tower, toy_palette, message):
    async with serve(Colorist(held_tower, toy_palette)) as stub:
        leaving = stub.ColorHolds(request(*[message(RED)] * 300))
        assert await asyncio.to_thread(held_tower.begun.wait, 5)
        staying = asyncio.ensure_future(stub.ColorHolds(request(message(BLUE))))
        leaving.cancel()
        answer = await asyncio.wait_for(staying, 3)  # sooner than the deadline of the one who left
    assert [c.color.name for c in answer.colors] == ["blue"]
    assert held_tower.left.is_set()
