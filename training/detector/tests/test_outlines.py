"""GrabCut finds what was drawn, and says an ellipse where it cannot."""

import cv2
import numpy as np
import pytest

from training.detector.outlines import inner_pixels, outline_box


def a_wall_with_disc(center_xy, radius, *, hold=(40, 60, 200), wall=(150, 170, 180)):
    """The Lab picture of a noisy disc on a noisy wall, and the disc's mask."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :200]
    mask = np.hypot(x + 0.5 - center_xy[0], y + 0.5 - center_xy[1]) <= radius
    bgr = np.where(mask[..., None], hold, wall) + rng.normal(0, 6, (200, 200, 3))
    return cv2.cvtColor(bgr.clip(0, 255).astype(np.uint8), cv2.COLOR_BGR2LAB), mask


@pytest.mark.parametrize(("center", "radius"), [((100, 100), 60), ((60, 140), 25), ((30, 30), 10), ((190, 100), 30)])
def test_a_disc_is_outlined(center, radius):
    lab, mask = a_wall_with_disc(center, radius)
    box = np.array([center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius], np.float32)
    x0, y0, x1, y1 = inner_pixels(box, 200, 200)
    found, wanted = outline_box(lab, box, convex=False), mask[y0:y1, x0:x1]
    assert found.shape == wanted.shape
    assert (found & wanted).sum() / (found | wanted).sum() > 0.88


def test_where_nothing_stands_out_an_ellipse_is_taken():
    lab = np.full((100, 100, 3), 128, np.uint8)
    found = outline_box(lab, np.array([20, 30, 60, 90], np.float32), convex=False)
    assert found.mean() == pytest.approx(np.pi / 4, abs=0.03)


def test_the_same_box_gets_the_same_outline_twice():
    lab, _ = a_wall_with_disc((100, 100), 40)
    box = np.array([55, 55, 145, 145], np.float32)
    assert (outline_box(lab, box, convex=False) == outline_box(lab, box, convex=False)).all()


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ([1.2, 2.8, 5.1, 6], (1, 2, 6, 6)),
        ([-4, -4, 300, 300], (0, 0, 200, 200)),
        ([199.9, 199.9, 200, 200], (199, 199, 200, 200)),
    ],
)
def test_boxes_are_rounded_outwards_inside_the_photo(box, pixels):
    assert inner_pixels(np.array(box, np.float32), 200, 200) == pixels
