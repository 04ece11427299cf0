"""Colors of the caller's own, the photo's light, and colors that cannot be told, through both faces of the gateway."""

import grpc
import pytest
from climbmate.analyzer.v1 import analyzer_pb2
from climbmate.hold.v1 import hold_pb2
from servicekit.errors import InvalidParameter
from servicekit.rich_status import from_rpc_error

WISH = "mint, neon yellow ,wood:a hold of bare wood"
MEANT = [("mint", ""), ("neon yellow", ""), ("wood", "a hold of bare wood")]


def palettes_of(gate):
    return {tuple((color.name, color.prompt) for color in request.palette) for request in gate.colorizer.requests}


async def test_without_a_palette_the_colorizer_uses_its_own(gate):
    await gate.analyze()
    assert palettes_of(gate) == {()}


async def test_a_palette_reaches_the_colorizer_with_every_chunk(gate):
    response = await gate.analyze(palette=WISH)
    assert response.status_code == 200
    assert len(gate.colorizer.requests) == 3
    assert palettes_of(gate) == {tuple(MEANT)}


async def test_over_grpc_too(gate, jpeg):
    palette = [hold_pb2.ColorPrompt(name=name, prompt=prompt) for name, prompt in MEANT]
    async with gate.analyzer() as analyzer:
        options = analyzer_pb2.AnalysisOptions(palette=palette)
        await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg, options=options))
    assert palettes_of(gate) == {tuple(MEANT)}


@pytest.mark.parametrize("names", [["unknown"], ["red", "red"], ["x" * 41], [" red"], [str(n) for n in range(65)]])
async def test_a_palette_that_cannot_be_used_is_refused_before_any_work(gate, jpeg, names):
    options = analyzer_pb2.AnalysisOptions(palette=[hold_pb2.ColorPrompt(name=name) for name in names])
    async with gate.analyzer() as analyzer:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await analyzer.AnalyzePhoto(analyzer_pb2.AnalyzePhotoRequest(photo=jpeg, options=options))
    error = from_rpc_error(caught.value)
    assert (error.reason, list(error.details)) == ("INVALID_PARAMETER", ["palette"])
    assert gate.detector.requests == []


async def test_what_only_the_colorizer_can_refuse_is_the_callers_mistake_as_well(gate):
    async def too_long(ids):
        raise InvalidParameter("A prompt of the palette is too long.", details={"palette": "has 99 tokens"})

    gate.colorizer.before = too_long
    response = await gate.analyze(palette="red")
    assert response.status_code == 422
    assert response.json()["error"]["details"]["palette"] == "has 99 tokens"
    assert (await gate.analyze()).json()["degraded"] == ["colors"]  # without a palette it would be our own


async def test_the_light_that_the_detector_found_reaches_the_colorizer(gate):
    await gate.analyze()
    assert {(request.light.red, request.light.blue) for request in gate.colorizer.requests} == {(0.5, -0.75)}


async def test_a_color_that_cannot_be_told_comes_with_the_two_best_names_and_joins_no_problem(gate):
    gate.colorizer.color = hold_pb2.Color(
        name="unknown",
        rgb=hold_pb2.Rgb(red=90, green=80, blue=70),
        unknown_reason="No color is probable enough.",
        guesses=[
            hold_pb2.ColorGuess(name="brown", confidence=0.25),
            hold_pb2.ColorGuess(name="gray", confidence=0.125),
        ],
    )
    answer = (await gate.analyze()).json()
    assert answer["holds"][0]["color"] == {
        "name": "unknown",
        "confidence": 0.0,
        "rgb": [90, 80, 70],
        "reason": "No color is probable enough.",
        "guesses": [{"name": "brown", "confidence": 0.25}, {"name": "gray", "confidence": 0.125}],
    }
    assert answer["problems"] == []
