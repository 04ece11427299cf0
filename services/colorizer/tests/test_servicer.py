import asyncio

import grpc
import pytest
from climbmate.colorizer.v1 import colorizer_pb2
from climbmate.hold.v1 import hold_pb2
from colorizer.colorist import Colorist
from colorizer.text import Prompts
from servicekit.budget import MemoryBudget
from servicekit.rich_status import from_rpc_error

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
    assert from_rpc_error(caught.value).details == {"crops": "must be at most 300, not 301"}


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
    async with serve(Colorist(held_tower, toy_palette, Prompts(None, threads=1))) as stub:
        leaving = stub.ColorHolds(request(*[message(RED)] * 300))
        assert await asyncio.to_thread(held_tower.begun.wait, 5)
        staying = asyncio.ensure_future(stub.ColorHolds(request(message(BLUE))))
        leaving.cancel()
        answer = await asyncio.wait_for(staying, 3)  # sooner than the deadline of the one who left
    assert [c.color.name for c in answer.colors] == ["blue"]
    assert held_tower.left.is_set()


def palette(*names):
    return [hold_pb2.ColorPrompt(name=name, prompt=name) for name in names]


async def test_a_palette_of_the_callers_is_answered_with_its_names(serve, wordy_colorist, message):
    asked = colorizer_pb2.ColorHoldsRequest(
        crops=[message(RED), message(BLUE)], palette=palette("red hot", "cold blue")
    )
    async with serve(wordy_colorist) as stub:
        answer = await stub.ColorHolds(asked)
    assert [c.color.name for c in answer.colors] == ["red hot", "cold blue"]
    assert [stage.name for stage in answer.stages] == ["palette", "erode", "embed", "match"]


@pytest.mark.parametrize(
    "names", [["unknown"], ["red", "red"], ["x" * 41], [""], [str(number) for number in range(65)], ["red " * 9 + "\n"]]
)
async def test_a_palette_that_cannot_be_used_is_refused_with_what_is_wrong(serve, wordy_colorist, names):
    async with serve(wordy_colorist) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ColorHolds(colorizer_pb2.ColorHoldsRequest(palette=palette(*names)))
    error = from_rpc_error(caught.value)
    assert (error.reason, list(error.details)) == ("INVALID_PARAMETER", ["palette"])


async def test_a_palette_whose_words_do_not_fit_the_memory_is_refused_and_the_own_one_still_serves(
    serve, wordy_colorist, message
):
    tight = MemoryBudget(wordy_colorist.cost_bytes(1), queue_limit=8)
    async with serve(wordy_colorist, budget=tight) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ColorHolds(colorizer_pb2.ColorHoldsRequest(crops=[message(RED)], palette=palette("red")))
        answer = await stub.ColorHolds(request(message(RED)))
    error = from_rpc_error(caught.value)
    assert (error.reason, list(error.details)) == ("INVALID_PARAMETER", ["palette"])
    assert "memory" in error.message
    assert [c.color.name for c in answer.colors] == ["red"]


async def test_a_hold_of_no_probable_color_comes_with_two_guesses(serve, toy_colorist, message):
    async with serve(toy_colorist) as stub:
        answer = await stub.ColorHolds(request(message((110, 110, 20))))
    (found,) = answer.colors
    assert found.color.name == "unknown"
    assert {guess.name for guess in found.color.guesses} == {"red", "green"}
