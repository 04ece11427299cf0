"""Whatever is done to a sample, its labels keep telling the truth. Needs torch: `make test-training`."""

import math

import numpy as np
import pytest
import torch

from training.detector.dice import Dice
from training.detector.lighting import blurred, compressed
from training.detector.pictures import CODES, PASTED, Pictures, count_codes, look, occlude, paste
from training.detector.samples import Sampler
from training.detector.scenes import Scene, stack
from training.detector.views import WILD as TASTE
from training.detector.views import Views, draw_views, project, warp_boxes

CPU = torch.device("cpu")


def a_scene(width=400, height=300, seed=0):
    """Twelve ellipses in their boxes."""
    rng = np.random.default_rng(seed)
    owners = np.zeros((height, width), np.uint8)
    rgb = np.full((height, width, 3), 170, np.uint8)
    y, x = np.mgrid[:height, :width] + 0.5
    boxes = []
    for i in range(12):
        cx, cy = 50 + 100 * (i % 4), 50 + 100 * (i // 4)
        rx, ry = rng.uniform(10, 30, 2)
        inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1
        owners[inside], rgb[inside] = i + 1, rng.integers(0, 255, 3)
        boxes.append([cx - rx, cy - ry, cx + rx, cy + ry])
    return Scene(rgb, owners, np.array(boxes, np.float32), np.arange(12, dtype=np.int64) % 2)


@pytest.fixture(scope="module")
def bank():
    return stack([a_scene(seed=k) for k in range(3)], [1.0, 1.0, 1.0], CPU)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def the_view(matrix, photo=0, side=600):
    """A look at one photo of the bank through a (3, 3) homography, full size."""
    forth = torch.tensor(matrix, dtype=torch.float32)[None]
    return Views(torch.tensor([photo]), torch.tensor([False]), forth, torch.tensor([[0.0, 0.0, side, side]]))


def extent(codes, code):
    rows, columns = np.nonzero(codes == code)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.parametrize("gentle", [False, True])
@pytest.mark.parametrize("number", range(4))
def test_drawn_samples_are_truthful(bank, number, gentle):
    batch = Sampler(bank, seed=1).batch(number, 6, 192, gentle=gentle)
    assert batch.images.shape == (6, 3, 192, 192)
    assert 0 <= batch.images.min() <= batch.images.max() <= 1
    assert len(batch.kinds) == len(batch.boxes) == len(batch.code) == len(batch.picture) > 0
    assert (batch.picture.diff() >= 0).all()
    for picture, box, code in zip(
        batch.picture.int().tolist(), batch.boxes.numpy() * 192, batch.code.tolist(), strict=True
    ):
        codes = batch.codes[picture].numpy()
        if (codes == code).any():
            seen, half = extent(codes, code), box[2:] / 2
            assert (seen[:2] >= box[:2] - half - 3).all()
            assert (seen[2:] <= box[:2] + half + 3).all()


def test_a_batch_depends_on_nothing_but_the_seed_and_its_number(bank):
    one, other = Sampler(bank, seed=1), Sampler(bank, seed=1)
    one.batch(4, 3, 96, gentle=False)
    first, second, third = (
        one.batch(5, 3, 96, gentle=False),
        other.batch(5, 3, 96, gentle=False),
        one.batch(6, 3, 96, gentle=False),
    )
    assert (first.images == second.images).all()
    assert torch.equal(first.boxes, second.boxes)
    assert not torch.equal(first.images, third.images)


@pytest.mark.parametrize("degrees", [0, 30, 90, 200])
def test_warped_boxes_hold_warped_ellipses(bank, degrees):
    cos, sin = 1.3 * math.cos(math.radians(degrees)), 1.3 * math.sin(math.radians(degrees))
    matrix = [[cos, -sin, 300 - 200 * cos + 150 * sin], [sin, cos, 300 - 200 * sin - 150 * cos], [0, 0, 1]]
    view = the_view(matrix)
    codes = look(bank, view, 600).codes[0].numpy()
    for i, box in enumerate(warp_boxes(bank.boxes_xyxy[:1, :12], view.forth)[0].numpy()):
        np.testing.assert_allclose(extent(codes, i + 1), box, atol=1.25)


def test_tilted_boxes_hold_tilted_ellipses(bank):
    view = the_view([[1.2, 0, 20], [0.05, 1.1, 30], [3e-4, 2e-4, 1]])
    codes = look(bank, view, 600).codes[0].numpy()
    for i, box in enumerate(warp_boxes(bank.boxes_xyxy[:1, :12], view.forth)[0].numpy()):
        np.testing.assert_allclose(extent(codes, i + 1), box, atol=2)


def test_projecting_forth_and_back_gives_the_same_points(bank):
    frames = torch.tensor([[0.0, 0.0, 500.0, 500.0]]).repeat(8, 1)
    views = draw_views(bank, frames, TASTE, rng())
    points = torch.rand(8, 20, 2, generator=rng(1)) * 300
    there = project(views.forth, points)
    assert torch.allclose(project(torch.linalg.inv(views.forth), there), points, atol=0.05)


def test_the_halved_picture_shows_the_same_in_the_same_place(bank):
    full = the_view([[0.5, 0, 0], [0, 0.5, 0], [0, 0, 1]], side=200)
    half = Views(full.photo, torch.tensor([True]), full.forth, full.frame_xyxy)
    one, other = look(bank, full, 200), look(bank, half, 200)
    assert (one.codes == other.codes).float().mean() > 0.98
    assert (one.rgb - other.rgb).abs().mean() < 2


def test_a_pasted_hold_covers_no_other(bank):
    flat = the_view(np.eye(3), side=300)
    under = look(bank, flat, 300)
    over = look(bank, the_view([[1, 0, 47], [0, 1, 43], [0, 0, 1]], photo=1, side=300), 300)
    pasted, chosen = paste(under, over, torch.ones(1), Dice(1, rng()))
    before, after = (count_codes(p.codes, 5 * CODES)[0] for p in (under, pasted))
    kept = before[1:13] > 0
    assert chosen[0].sum() >= 2
    assert (after[1:13][kept] >= 0.7 * before[1:13][kept]).all()
    assert (after[PASTED * CODES :][chosen[0]] > 0).all()
    assert (after[PASTED * CODES :][~chosen[0]] == 0).all()


def test_what_a_limb_hides_belongs_to_nobody(bank):
    whole = look(bank, the_view(np.eye(3), side=300), 300)
    hidden = occlude(whole, 4, Dice(1, rng(2)))
    changed = (hidden.rgb != whole.rgb).any(-1)
    assert changed.any()
    assert (hidden.codes[changed] == 0).all()
    assert (hidden.codes[~changed] == whole.codes[~changed]).all()


def test_counting_codes_counts_no_wall():
    codes = torch.tensor([[[0, 0, 3], [3, CODES, 2 * CODES + 1]]])
    counts = count_codes(codes, 5 * CODES)
    assert counts.sum() == 3
    assert counts[0, 3] == 2
    assert counts[0, 2 * CODES + 1] == 1


def test_good_jpeg_keeps_a_picture_and_bad_jpeg_does_not():
    picture = torch.rand(2, 3, 64, 64, generator=rng())
    smooth = torch.nn.functional.avg_pool2d(picture, 9, 1, 4)
    good, bad = compressed(smooth, torch.tensor([95.0, 15.0]))
    assert (good - smooth[0]).abs().mean() < 0.01 < (bad - smooth[1]).abs().mean() < 0.1


@pytest.mark.parametrize("count", [0, 2])
def test_blur_keeps_the_mean_and_takes_the_contrast(count):
    picture = torch.rand(count, 3, 64, 64, generator=rng())
    soft = blurred(picture, Dice(count, rng()))
    assert soft.shape == picture.shape
    if count:
        inner = (..., slice(8, -8), slice(8, -8))
        assert torch.allclose(soft[inner].mean(), picture[inner].mean(), atol=0.01)
        assert soft[inner].std() < picture[inner].std()


def test_no_holds_make_no_labels():
    empty = Scene(
        np.full((300, 400, 3), 90, np.uint8),
        np.zeros((300, 400), np.uint8),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.int64),
    )
    batch = Sampler(stack([empty], [1.0], CPU), seed=0).batch(0, 2, 96, gentle=False)
    assert len(batch.kinds) == 0
    assert isinstance(Pictures(batch.images, batch.codes), Pictures)


def test_processes_share_the_pixels_of_a_bank_instead_of_copying_them(bank):
    assert bank.rgb.is_shared()
    assert bank.owners.is_shared()
