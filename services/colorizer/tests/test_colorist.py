import itertools
import tracemalloc

import numpy as np
import pytest
from colorizer.colorist import BadCrop, HoldCrop
from colorizer.palette import Prompt
from servicekit.cancel import Cancelled, CancelToken
from visionkit.light import Light

RED, GREEN, BLUE = (200, 20, 20), (20, 200, 20), (20, 20, 200)
BATCH = 4  # of the toy tower


def test_no_holds_give_no_colors(toy_colorist):
    assert toy_colorist.name([], token=CancelToken()) == []


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1])
def test_the_i_th_color_belongs_to_the_i_th_hold(toy_colorist, disc, count):
    cycle = itertools.cycle(zip(("red", "green", "blue"), (RED, GREEN, BLUE), strict=True))
    wanted = list(itertools.islice(cycle, count))
    named = toy_colorist.name([disc(rgb, hold_id=100 - i) for i, (_, rgb) in enumerate(wanted)], token=CancelToken())
    assert [color.name for color in named] == [name for name, _ in wanted]
    assert [color.hold_id for color in named] == [100 - i for i in range(count)]
    assert [color.rgb for color in named] == [rgb for _, rgb in wanted]


@pytest.mark.parametrize("bad_at", [0, 1, BATCH])
def test_a_hold_that_cannot_be_used_costs_one_hold(toy_colorist, disc, bad_at):
    crops = [disc(RED, hold_id=i) for i in range(BATCH)]
    empty = HoldCrop(99, np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), bool))
    crops.insert(bad_at, empty)
    crops.append(BadCrop(7, "Not a crop."))
    named = toy_colorist.name(crops, token=CancelToken())
    unknown = [color for color in named if color.name == "unknown"]
    assert named[bad_at] is unknown[0]
    assert [(c.hold_id, c.unknown_reason, c.confidence, c.rgb) for c in unknown] == [
        (99, "The mask is empty.", 0.0, None),
        (7, "Not a crop.", 0.0, None),
    ]
    assert [c.name for c in named if c not in unknown] == ["red"] * BATCH


def test_only_bad_holds_need_no_network(toy_colorist):
    (named,) = toy_colorist.name([BadCrop(1, "Bad.")], token=CancelToken())
    assert named.name == "unknown"


def test_a_caller_who_leaves_stops_the_work_at_the_next_hold(toy_colorist, disc):
    token, taken = CancelToken(), []

    def crops():
        for i in range(100):
            taken.append(i)
            if i == 3:
                token.cancel()
            yield disc(RED, hold_id=i)

    with pytest.raises(Cancelled):
        toy_colorist.name(crops(), token=token)
    assert taken == [0, 1, 2, 3]


def test_memory_per_hold_is_what_the_network_sees_of_it_and_no_more(toy_colorist, disc):
    def peak_bytes(count: int) -> int:
        tracemalloc.start()
        toy_colorist.name((disc(RED, width=96, height=96) for _ in range(count)), token=CancelToken())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak_bytes(1)
    growth = (peak_bytes(300) - peak_bytes(20)) / 280
    assert growth < 2_000  # a hold's own pixels are 27,648 bytes, what the toy tower sees of it 192


def test_a_hold_between_two_colors_is_unknown_with_both_names(toy_colorist, disc):
    (named,) = toy_colorist.name([disc((110, 110, 20))], token=CancelToken())
    assert (named.name, named.confidence, named.rgb) == ("unknown", 0.0, (110, 110, 20))
    assert named.unknown_reason
    assert {guess.name for guess in named.guesses} == {"red", "green"}
    assert sum(guess.confidence for guess in named.guesses) <= 1


def test_a_palette_of_the_callers_always_gets_a_name(wordy_colorist, disc):
    palette = [Prompt("cherry", "red"), Prompt("swamp", "red green"), Prompt("grass", "green")]
    named = wordy_colorist.name([disc(RED), disc((110, 110, 20)), disc((150, 100, 20))], palette, token=CancelToken())
    assert [color.name for color in named] == ["cherry", "swamp", "swamp"]
    assert all(color.guesses == () for color in named)


def test_the_first_use_of_a_palette_costs_the_text_tower_and_later_ones_nothing(wordy_colorist, disc):
    palette = [Prompt("cherry", "red")]
    before = wordy_colorist.cost_bytes(1, palette)
    wordy_colorist.name([disc(RED)], palette, token=CancelToken())
    assert before > wordy_colorist.cost_bytes(1, palette) == wordy_colorist.cost_bytes(1)


def test_the_light_of_the_photo_decides_with_the_pixels(toy_colorist, disc):
    (bare,) = toy_colorist.name([disc((150, 120, 20))], token=CancelToken())
    (under,) = toy_colorist.name([disc((150, 120, 20))], light=Light(0.9, 0.0), token=CancelToken())
    assert (bare.name, under.name) == ("red", "green")
    assert bare.rgb == under.rgb
