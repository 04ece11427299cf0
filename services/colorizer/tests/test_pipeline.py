import cv2
import numpy as np
import pytest
from colorizer.pipeline import UnusableHold, core_of, match, prepare_crop
from visionkit.light import Light, balanced


def test_no_embeddings_give_no_matches(toy_palette):
    assert match(np.zeros((0, 3), np.float32), toy_palette.choice.embeddings, 10.0) == []


def test_the_nearest_prompt_wins_and_shares_follow_the_temperature(toy_palette):
    reddish = np.array([[0.9, 0.3, 0.3]], np.float32) / np.linalg.norm([0.9, 0.3, 0.3])
    ((mild, second),) = match(reddish, toy_palette.choice.embeddings, 1.0)
    ((sharp, _),) = match(reddish, toy_palette.choice.embeddings, 100.0)
    assert toy_palette.choice.names[mild.index] == toy_palette.choice.names[sharp.index] == "red"
    assert second.confidence < 1 / 3 < mild.confidence < sharp.confidence <= 1


def test_of_a_single_name_it_is_sure(toy_palette):
    ((only,),) = match(toy_palette.choice.embeddings[:1], toy_palette.choice.embeddings[2:], 10.0)
    assert (only.index, only.confidence) == (0, 1.0)


def test_a_large_logit_scale_does_not_overflow(toy_palette):
    ((found, _),) = match(toy_palette.choice.embeddings[:1], toy_palette.choice.embeddings, 1e6)
    assert found.confidence == pytest.approx(1.0)


def test_an_empty_mask_is_unusable():
    with pytest.raises(UnusableHold, match="empty"):
        core_of(np.zeros((20, 20), bool))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 2)])
def test_a_thin_mask_keeps_all_its_pixels_when_erosion_leaves_nothing(shape):
    mask = np.ones(shape, bool)
    assert core_of(mask).sum() == mask.sum()


@pytest.mark.parametrize("shape", [(1, 1), (3, 90), (90, 3), (96, 96), (512, 512)])
def test_every_size_becomes_the_same_square(shape):
    crop = np.full((*shape, 3), (10, 20, 30), np.uint8)
    prepared = prepare_crop(crop, np.ones(shape, bool), 16)
    assert prepared.pixels.shape == (16, 16, 3)
    assert prepared.pixels.dtype == np.uint8
    assert (prepared.pixels == (10, 20, 30)).all()


def test_nothing_outside_the_core_reaches_the_network():
    crop = np.full((40, 40, 3), (255, 0, 0), np.uint8)
    core = np.zeros((40, 40), bool)
    core[5:30, 10] = core[29, 10:35] = True  # an L, so that its bounding box is mostly wall
    crop[core] = (0, 0, 200)
    prepared = prepare_crop(crop, core, 32)
    assert (prepared.pixels == (0, 0, 200)).all()
    assert prepared.rgb == (0, 0, 200)


@pytest.mark.parametrize("count", [1, 2, 3, 16, 25])
def test_the_color_of_a_hold_is_the_median_of_its_core_rounded_down(count):
    crop = np.random.default_rng(count).integers(0, 256, (1, 30, 3)).astype(np.uint8)
    core = np.arange(30)[None] < count
    assert prepare_crop(crop, core, 8).rgb == tuple(np.median(crop[core], axis=0).astype(int))


def test_the_callers_pixels_are_left_alone():
    crop = np.full((10, 10, 3), 7, np.uint8)
    crop.flags.writeable = False
    prepare_crop(crop, np.eye(10, dtype=bool), 8)
    assert (crop == 7).all()


@pytest.mark.parametrize("shape", [(40, 40), (41, 96), (96, 33), (70, 20), (12, 9)])
def test_a_hold_turned_or_flipped_looks_the_same_to_the_network(shape):
    rng = np.random.default_rng(0)
    crop = cv2.GaussianBlur(rng.integers(0, 256, (*shape, 3)).astype(np.uint8), (0, 0), 2)
    mask = cv2.GaussianBlur(rng.random(shape), (0, 0), 4) > 0.47
    seen = [
        prepare_crop(np.ascontiguousarray(view(crop)), core_of(np.ascontiguousarray(view(mask))), 32).pixels.astype(int)
        for view in (lambda x: x, np.fliplr, np.flipud, np.rot90, lambda x: np.rot90(x, 3), lambda x: x.swapaxes(0, 1))
    ]
    assert max(np.abs(other - seen[0]).max() for other in seen) <= 1  # resizing rounds along one side first


def test_the_light_of_the_photo_is_taken_out_of_what_the_network_sees_but_not_of_the_measured_color():
    tungsten = Light(0.5, -0.8)
    crop = balanced(np.full((20, 20, 3), 128, np.uint8), Light(-0.5, 0.8))  # a gray hold under such a lamp
    prepared = prepare_crop(crop, np.ones((20, 20), bool), 8, tungsten)
    assert np.ptp(prepared.pixels.astype(int)) <= 3
    assert prepared.rgb == tuple(crop[0, 0].tolist())
    assert np.ptp(prepared.rgb) > 50
