"""The scatter of crops alone, against a scripted colorizer."""

import asyncio
import gc
import weakref

from gateway.coloring import Scatter
from gateway.deadline import Deadline
from gateway.domain import Coloring, Looks, Model
from servicekit.errors import Overloaded


class Crop:
    """Stands in for a crop; can be referred to weakly."""


class Colorizer:
    """Colors nothing; is full for the first `refusals` calls."""

    def __init__(self, refusals=0):
        self.refusals = refusals
        self.calls = 0
        self.on_call = lambda: None

    async def color(self, crops, looks, *, timeout_s):
        self.calls += 1
        self.on_call()
        if self.calls <= self.refusals:
            raise Overloaded("planted", retry_after_s=0.5)
        return Coloring({}, Model("toy", "1", ""), ())


async def test_crops_are_let_go_with_their_chunk():
    crops = [Crop() for _ in range(4)]
    alive = [weakref.ref(crop) for crop in crops]
    gc.disable()  # by their count, not by the collector
    try:
        left = []
        scatter = Scatter(Colorizer(), chunk_holds=1, calls=1)
        async with scatter.coloring(crops, Deadline.after(5), Looks()) as chunks:
            async for _ in chunks:
                await asyncio.sleep(0.01)
                left.append(sum(crop() is not None for crop in alive))
    finally:
        gc.enable()
    assert crops == []
    assert left[-1] == 0


async def test_the_first_calls_are_on_their_way_before_anything_else_is_done():
    colorizer = Colorizer()
    scatter = Scatter(colorizer, chunk_holds=1, calls=2)
    async with scatter.coloring([Crop() for _ in range(3)], Deadline.after(5), Looks()):
        assert colorizer.calls >= 2


async def test_a_chunk_that_waits_to_ask_again_keeps_nobody_else_waiting():
    colorizer = Colorizer(refusals=1)
    scatter = Scatter(colorizer, chunk_holds=1, calls=1)
    start_s = asyncio.get_running_loop().time()
    async with scatter.coloring([Crop() for _ in range(3)], Deadline.after(5), Looks()) as chunks:
        landed_s = [asyncio.get_running_loop().time() - start_s async for _ in chunks]
    assert landed_s[1] < 0.3
    assert 0.5 <= landed_s[2] < 1.5
