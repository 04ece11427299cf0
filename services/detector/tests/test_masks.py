import numpy as np
import pytest
from detector.boxes import Detections
from detector.letterbox import Letterbox
from detector.looks import look_through
from detector.masks import MAX_GRID_SIDE, grid_wh, outline_holds, sample_logits

LETTERBOX = Letterbox.fitting(320, 320, (320, 320))


def look_at(found, prototypes):
    return look_through(LETTERBOX, found, prototypes, (320, 320))


def found_at(boxes, planes):
    coefficients = np.zeros((len(boxes), 32), np.float32)
    coefficients[range(len(boxes)), planes] = 1
    count = len(boxes)
    confidences = np.linspace(0.9, 0.5, count, dtype=np.float32)
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), confidences, np.zeros(count, np.int64), coefficients)


def prototypes_of(*discs):
    """(32, 80, 80): plane i is above 0 inside a disc (x, y, radius) of square pixels; the rest is below."""
    y, x = (np.mgrid[:80, :80] + 0.5) * 4
    planes = np.full((32, 80, 80), -1, np.float32)
    for i, (cx, cy, radius) in enumerate(discs):
        planes[i] = radius - np.hypot(x - cx, y - cy)
    return planes


def test_no_holds_have_no_outlines():
    assert outline_holds(look_at(found_at([], []), prototypes_of())) == []


def test_the_ith_mask_belongs_to_the_ith_hold():
    boxes = [[100, 100, 160, 160], [200, 40, 240, 80], [20, 220, 80, 240]]
    planes = prototypes_of((220, 60, 10), (130, 130, 30))
    found = found_at(boxes, [1, 0, 5])
    large, small, nothing = outline_holds(look_at(found, planes))
    assert large.fill == pytest.approx(np.pi / 4, abs=0.03)
    assert small.fill == pytest.approx(np.pi / 16, abs=0.03)
    assert nothing.mask.all()  # no outline: the box stands for it
    assert nothing.mask.shape == (20, 60)


def test_a_disc_comes_out_round_also_when_it_is_small():
    found = found_at([[100.5, 99.25, 116.5, 115.25]], [0])
    outline = outline_holds(look_at(found, prototypes_of((108.5, 107.25, 8))))[0]
    assert outline.mask.shape == (16, 16)
    assert outline.fill == pytest.approx(np.pi / 4, abs=0.04)
    radii = np.hypot(*(outline.polygon - 0.5).T)
    assert radii.min() > 0.42
    assert radii.max() < 0.58


@pytest.mark.parametrize(
    ("box", "wh"), [([0, 0, 1, 1], (1, 1)), ([5, 5, 45.4, 25.6], (40, 21)), ([0, 0, 960, 5], (96, 1))]
)
def test_grids_have_a_cell_for_each_pixel_up_to_the_cap(box, wh):
    assert grid_wh(np.array(box, np.float32)) == wh
    assert max(wh) <= MAX_GRID_SIDE


@pytest.mark.parametrize("box", [[3.3, 4.6, 9.1, 12.2], [0, 0, 20, 20], [15.5, 15.5, 20, 20], [0, 7, 0.9, 8]])
def test_logits_are_bilinear_between_the_centers_of_prototype_cells(box):
    y, x = np.mgrid[:20, :20] + 0.5
    planes = np.zeros((32, 20, 20), np.float32)
    planes[0], planes[1] = x, y
    coefficients = np.zeros(32, np.float32)
    coefficients[:2] = 2, -3
    logits = sample_logits(coefficients, planes, np.array(box, np.float32), (7, 5))
    gx = box[0] + (np.arange(7) + 0.5) / 7 * (box[2] - box[0])
    gy = box[1] + (np.arange(5) + 0.5) / 5 * (box[3] - box[1])
    wanted = 2 * gx.clip(0.5, 19.5)[None] - 3 * gy.clip(0.5, 19.5)[:, None]
    np.testing.assert_allclose(logits, wanted, atol=0.2)  # OpenCV interpolates in steps of 1/32 cell
