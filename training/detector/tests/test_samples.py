"""Whatever is done to a sample, its labels keep telling the truth."""

import numpy as np
import pytest

from training.detector.samples import Draw, SampleSource, Scene, paste_hold, view_scene, warp_boxes


def a_scene(width=400, height=300, seed=0):
    """Twelve ellipses in their boxes."""
    rng = np.random.default_rng(seed)
    owners = np.zeros((height, width), np.uint16)
    bgr = np.full((height, width, 3), 170, np.uint8)
    y, x = np.mgrid[:height, :width] + 0.5
    boxes = []
    for i in range(12):
        cx, cy = 50 + 100 * (i % 4), 50 + 100 * (i // 4)
        rx, ry = rng.uniform(10, 30, 2)
        inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1
        owners[inside], bgr[inside] = i + 1, rng.integers(0, 255, 3)
        boxes.append([cx - rx, cy - ry, cx + rx, cy + ry])
    return Scene(bgr, owners, np.array(boxes, np.float32), np.arange(12, dtype=np.int64) % 2)


def extent(owners, i):
    rows, columns = np.nonzero(owners == i + 1)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def assert_truthful(scene, *, within_px):
    """Every label's box fits its own pixels, unless another hold hides them."""
    assert scene.owners.max(initial=0) <= len(scene.kinds)
    assert len(scene.boxes_xyxy) == len(scene.kinds)
    for i, box in enumerate(scene.boxes_xyxy):
        if (scene.owners == i + 1).any():
            seen = extent(scene.owners, i)
            assert (seen[:2] >= box[:2] - within_px).all()
            assert (seen[2:] <= box[2:] + within_px).all()


@pytest.mark.parametrize("gentle", [False, True])
@pytest.mark.parametrize("number", range(8))
def test_drawn_samples_are_truthful(number, gentle):
    source = SampleSource([a_scene(seed=k) for k in range(3)], seed=1)
    sample = source[Draw(number, 320, gentle)]
    assert sample.bgr.shape == (320, 320, 3)
    assert_truthful(sample, within_px=3)


def test_a_sample_depends_on_nothing_but_the_seed_and_its_number():
    scenes = [a_scene(seed=k) for k in range(3)]
    one, other = SampleSource(scenes, seed=1), SampleSource(scenes, seed=1)
    one[Draw(4, 320, False)]
    first, second = one[Draw(5, 320, False)], other[Draw(5, 320, False)]
    assert (first.bgr == second.bgr).all()
    assert (first.boxes_xyxy == second.boxes_xyxy).all()
    assert not np.array_equal(first.bgr, one[Draw(6, 320, False)].bgr)


@pytest.mark.parametrize("degrees", [0, 30, 90, 200])
def test_warped_boxes_hold_warped_ellipses(degrees):
    angle, scene = np.deg2rad(degrees), a_scene()
    linear = 1.3 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([linear, np.array([300, 300]) - linear @ [200, 150]])
    warped = view_scene(scene, matrix, (600, 600))
    assert len(warped.kinds) == 12
    for i, box in enumerate(warp_boxes(scene.boxes_xyxy, matrix)):
        np.testing.assert_allclose(extent(warped.owners, i), box, atol=1.25)


def test_holds_mostly_outside_lose_their_label_and_their_pixels():
    scene = a_scene()
    view = view_scene(scene, np.array([[1.0, 0, -50], [0, 1, 0]]), (300, 300))  # cuts the first column in half
    assert len(view.kinds) == 12
    view = view_scene(scene, np.array([[1.0, 0, -75], [0, 1, 0]]), (300, 300))
    assert len(view.kinds) == 9
    assert view.owners.max() == 9


def test_a_pasted_hold_brings_its_label_and_covers_no_other():
    scene, rng = a_scene(), np.random.default_rng(3)
    for _ in range(20):
        scene = paste_hold(scene, a_scene(seed=9), 5, rng)
    assert len(scene.kinds) > 12
    assert_truthful(scene, within_px=1)
    for i in range(12):
        before = (a_scene().owners == i + 1).sum()
        assert (scene.owners == i + 1).sum() > 0.7 * before
