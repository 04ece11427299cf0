import numpy as np
import pytest
from detector.crops import crop_hold


def a_ramp(width, height):
    """Red grows with x and green with y, one level for each pixel."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.zeros_like(x)], axis=-1).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("box", "wh"),
    [
        ([10, 20, 14, 23], (4, 3)),
        ([10.5, 20.25, 40.5, 60.25], (30, 40)),
        ([0, 0, 240, 200], (96, 80)),
        ([0, 0, 255, 10], (96, 4)),
        ([199.2, 99.7, 200.2, 100.7], (1, 1)),
    ],
)
def test_a_crop_shows_what_lies_under_its_grid(box, wh):
    crop = crop_hold(a_ramp(256, 256), np.array(box, np.float32), wh)
    assert crop.shape == (wh[1], wh[0], 3)
    x = box[0] + (np.arange(wh[0]) + 0.5) / wh[0] * (box[2] - box[0]) - 0.5
    y = box[1] + (np.arange(wh[1]) + 0.5) / wh[1] * (box[3] - box[1]) - 0.5
    assert np.abs(crop[..., 0] - x[None]).max() <= 1.5
    assert np.abs(crop[..., 1] - y[:, None]).max() <= 1.5


def test_reduced_crops_do_not_alias():
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = crop_hold(stripes, np.array([0, 0, 400, 400], np.float32), (96, 96))
    assert crop[:, 1:-1].min() > 90
    assert crop[:, 1:-1].max() < 165
