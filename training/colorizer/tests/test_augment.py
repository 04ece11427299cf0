"""However holds are varied they stay usable and keep their color; unvaried they are what the service shows."""

import numpy as np
import pytest
import torch
from colorizer.pipeline import core_of, prepare_crop

from training.colorizer.augment import PLAIN, Recipe, repainted, shown
from training.colorizer.camera import as_jpeg
from training.colorizer.canvases import Canvases, joined, stretched
from training.colorizer.chance import Dice
from training.colorizer.crops import HoldCrop, cut, ellipse
from training.colorizer.masks import eroded, jittered_boxes, predicted
from training.colorizer.oklab import oklab_of
from training.colorizer.views import as_jpeg as as_jpeg_file
from training.colorizer.views import box_and_mask

BLUE, WALL = (30, 84, 190), (200, 168, 130)
SIDE_PX = 32


def dice(seed: int = 0) -> Dice:
    return Dice(torch.device("cpu"), seed)


def a_crop(width: int = 60, height: int = 44) -> HoldCrop:
    """A blue ball with a highlight, cut out of a photo."""
    rows, columns = np.mgrid[:200, :200]
    photo = np.full((200, 200, 3), WALL, np.float32)
    box = (70, 80, 70 + width, 80 + height)
    inside = ellipse(photo.shape[:2], box, 0.95)
    light = 1.2 - 0.5 * (rows - 80) / height - 0.2 * (columns - 70) / width
    photo[inside] = (np.array(BLUE) * light[..., None])[inside]
    crop = cut(photo.clip(0, 255).astype(np.uint8), "wall.jpg", box)
    assert crop is not None
    return crop


def many(count: int, crop: HoldCrop | None = None) -> Canvases:
    return joined([stretched([crop or a_crop()])] * count)


def seen(holds: Canvases, recipe: Recipe, colors: torch.Tensor | None = None) -> np.ndarray:
    none = holds.core[:0]
    linear = repainted(holds, none if colors is None else colors)
    crops = shown(linear, holds.mask, holds.erosion, recipe=recipe, dice=dice(), side_px=SIDE_PX)
    return crops.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize(("width", "height"), [(60, 44), (96, 80), (40, 90), (24, 24)])
def test_without_variation_a_hold_looks_as_the_service_shows_it(width, height):
    crop = a_crop(width, height)
    rgb, mask = box_and_mask(crop)
    served = prepare_crop(rgb, core_of(mask), SIDE_PX).pixels.astype(float)
    assert np.abs(seen(many(1, crop), PLAIN)[0] - served).mean() < 6


@pytest.mark.parametrize(("width", "height"), [(6, 6), (8, 60), (60, 44), (96, 20)])
def test_any_hold_comes_out_usable(width, height):
    pixels = seen(many(40, a_crop(width, height)), Recipe())
    assert pixels.shape == (40, SIDE_PX, SIDE_PX, 3)
    assert np.isfinite(pixels).all()
    assert pixels.min() >= 0
    assert pixels.max() <= 255


def test_light_and_camera_do_not_change_a_name():
    middles = np.median(seen(many(64), Recipe()).reshape(64, -1, 3), axis=1)
    lab = oklab_of(torch.from_numpy(middles)).numpy()
    hues = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    assert np.ptp(np.percentile(hues, [10, 90])) < 25  # blue and purple are 35 degrees apart


def test_a_target_replaces_the_color_of_the_last_holds_only():
    red = oklab_of(torch.tensor([[196, 32, 38]]))
    first, last = np.median(seen(many(2), PLAIN, red).reshape(2, -1, 3), axis=1)
    assert first[2] > 2 * first[0]
    assert last[0] > 2 * last[2]


def test_the_photos_light_is_taken_out():
    warm = many(1).under(torch.tensor([[0.7, 1.0, 1.6]]))
    before, after = (np.median(seen(holds, PLAIN).reshape(-1, 3), axis=0) for holds in (many(1), warm))
    assert after[2] > before[2] + 10
    assert after[0] < before[0]


def test_predicted_masks_are_wrong_now_and_then_but_not_mostly():
    holds = many(100)
    found = predicted(holds.mask, jittered_boxes(100, dice(3), 0.05), dice(4))
    overlaps = (found & holds.mask).sum(dim=(1, 2)) / (found | holds.mask).sum(dim=(1, 2))
    assert 0.6 < overlaps.median() < 0.98
    assert overlaps.min() < 0.75
    assert found.flatten(1).any(dim=1).all()


def test_erosion_takes_the_margin_and_never_everything():
    masks = torch.zeros(2, 40, 40, dtype=torch.bool)
    masks[0, 5:35, 5:35] = True
    masks[1, 20, 5:35] = True
    cores = eroded(masks, torch.tensor([[3.0, 6.0], [3.0, 6.0]]))
    rows, columns = torch.nonzero(cores[0], as_tuple=True)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (8, 31, 11, 28)
    assert (cores[1] == masks[1]).all()


def test_jpeg_is_about_what_a_file_would_be():
    rgb = np.ascontiguousarray(a_crop().rgb)
    ours = as_jpeg(torch.from_numpy(rgb).permute(2, 0, 1)[None].float(), torch.tensor([40.0]), halved=True)
    file = as_jpeg_file(rgb, quality=40).astype(float)
    difference = np.abs(ours[0].permute(1, 2, 0).numpy() - file).mean()
    assert difference < 0.5 * np.abs(rgb - file).mean()


def test_a_box_off_the_photo_is_no_crop():
    assert cut(np.zeros((50, 50, 3), np.uint8), "wall.jpg", (60.0, 10.0, 80.0, 30.0)) is None
