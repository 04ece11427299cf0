import numpy as np
import pytest
from colorizer.pipeline import UnusableHold, core_of, match, prepare_crop


def test_no_embeddings_give_no_matches(toy_palette):
    assert match(np.zeros((0, 3), np.float32), toy_palette.embeddings, 10.0) == []


def test_the_nearest_prompt_wins_and_shares_follow_the_temperature(toy_palette):
    reddish = np.array([[0.9, 0.3, 0.3]], np.float32) / np.linalg.norm([0.9, 0.3, 0.3])
    (mild,) = match(reddish, toy_palette.embeddings, 1.0)
    (sharp,) = match(reddish, toy_palette.embeddings, 100.0)
    assert toy_palette.names[mild.index] == toy_palette.names[sharp.index] == "red"
    assert 1 / 3 < mild.confidence < sharp.confidence <= 1


def test_a_large_logit_scale_does_not_overflow(toy_palette):
    (found,) = match(toy_palette.embeddings[:1], toy_palette.embeddings, 1e6)
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


def test_the_callers_pixels_are_left_alone():
    crop = np.full((10, 10, 3), 7, np.uint8)
    crop.flags.writeable = False
    prepare_crop(crop, np.eye(10, dtype=bool), 8)
    assert (crop == 7).all()
