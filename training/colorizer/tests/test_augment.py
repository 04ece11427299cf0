"""Whatever the augmentation does, a crop and a mask of one size come out, and the hold keeps its color."""

import numpy as np
import pytest
from colorizer.pipeline import core_of, prepare_crop

from training.colorizer.augment import blobby, photographed, predicted_mask, turned
from training.colorizer.crops import HoldCrop, cut, ellipse
from training.colorizer.recolor import to_linear, to_oklab

BLUE, WALL = (30, 84, 190), (200, 168, 130)


def a_crop(width: int = 60, height: int = 44) -> HoldCrop:
    photo = np.full((200, 200, 3), WALL, np.uint8)
    box = (70, 80, 70 + width, 80 + height)
    photo[ellipse(photo.shape[:2], box, 0.95)] = BLUE
    crop = cut(photo, "wall.jpg", box)
    assert crop is not None
    return crop


@pytest.mark.parametrize(("width", "height"), [(6, 6), (8, 60), (60, 44), (96, 20)])
def test_any_crop_comes_out_usable(width, height):
    rng = np.random.default_rng(0)
    for _ in range(40):
        rgb, mask = photographed(a_crop(width, height), None, rng)
        assert rgb.dtype == np.uint8
        assert rgb.shape == (*mask.shape, 3)
        assert mask.any()
        assert prepare_crop(rgb, core_of(mask), 16).pixels.shape == (16, 16, 3)


def test_light_and_camera_do_not_change_a_name():
    rng = np.random.default_rng(1)
    hues = []
    for _ in range(60):
        rgb, mask = photographed(a_crop(), None, rng)
        middle = np.median(to_oklab(to_linear(rgb[core_of(mask)])), axis=0)
        hues.append(np.degrees(np.arctan2(middle[2], middle[1])))
    assert np.ptp(np.percentile(hues, [10, 90])) < 25  # blue and purple are 35 degrees apart


def test_a_target_replaces_the_color():
    red = to_oklab(to_linear(np.array((196, 32, 38), np.uint8)))
    rgb, mask = photographed(a_crop(), red, np.random.default_rng(2))
    red_value, _, blue_value = np.median(rgb[core_of(mask)], axis=0)
    assert red_value > 2 * blue_value


def test_predicted_masks_are_wrong_now_and_then_but_not_mostly():
    rng, mask = np.random.default_rng(3), a_crop().mask
    overlaps = [(m & mask).sum() / (m | mask).sum() for m in (predicted_mask(mask, rng) for _ in range(100))]
    assert 0.6 < np.median(overlaps) < 0.98
    assert min(overlaps) < 0.75


def test_a_coarse_grid_keeps_the_area():
    mask = a_crop().mask
    assert blobby(mask, 9).mean() == pytest.approx(mask.mean(), abs=0.03)


def test_a_turn_moves_pixels_and_mask_together():
    rng, crop = np.random.default_rng(4), a_crop()
    for _ in range(8):
        rgb, mask = turned(crop.rgb, crop.mask, rng)
        assert (rgb[mask] == BLUE).all()


def test_a_box_off_the_photo_is_no_crop():
    assert cut(np.zeros((50, 50, 3), np.uint8), "wall.jpg", (60.0, 10.0, 80.0, 30.0)) is None
