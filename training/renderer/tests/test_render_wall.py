"""Rendered walls are reproducible, and their truth is what the pixels show."""

import cv2
import numpy as np
import pytest

from training.renderer import Amounts, RenderedWall, render_wall
from training.renderer.finishes import FINISHES, PAIRS
from training.renderer.palette import WEIGHTS


@pytest.fixture(scope="module")
def wall() -> RenderedWall:
    return render_wall(3, 240, 320, amounts=Amounts(holds=30, volumes=3, colors=6), finishes=("birch", "gray"))


def test_the_same_seed_gives_the_same_pixels_and_truth(wall):
    again = render_wall(3, 240, 320, amounts=Amounts(holds=30, volumes=3, colors=6), finishes=("birch", "gray"))
    assert np.array_equal(again.rgb, wall.rgb)
    assert [hold.box_xyxy for hold in again.holds] == [hold.box_xyxy for hold in wall.holds]


def test_another_seed_gives_another_wall(wall):
    other = render_wall(4, 240, 320)
    assert other.rgb.shape == wall.rgb.shape
    assert np.abs(other.rgb.astype(int) - wall.rgb).mean() > 5


def test_boxes_enclose_their_masks_tightly(wall):
    for hold in wall.holds:
        x_min, y_min, x_max, y_max = hold.box_xyxy
        assert hold.mask.shape == (y_max - y_min, x_max - x_min)
        assert hold.mask[0].any()
        assert hold.mask[-1].any()
        assert hold.mask[:, 0].any()
        assert hold.mask[:, -1].any()


def test_no_two_masks_share_a_pixel(wall):
    counts = sum((wall.full_mask(hold).astype(int) for hold in wall.holds), np.zeros(wall.rgb.shape[:2], int))
    assert counts.max() == 1


def test_there_are_as_many_holds_volumes_and_colors_as_asked_for(wall):
    holds = [hold for hold in wall.holds if hold.kind == "hold"]
    assert 25 <= len(holds) <= 30
    assert 2 <= sum(hold.kind == "volume" for hold in wall.holds) <= 3
    assert len({hold.color for hold in holds}) == 6


def test_a_problem_has_one_color(wall):
    by_problem = {}
    for hold in wall.holds:
        if hold.problem is not None:
            by_problem.setdefault(hold.problem, set()).add((hold.color, hold.rgb))
    assert len(by_problem) >= 3
    assert all(len(colors) == 1 for colors in by_problem.values())


def test_masks_lie_on_the_pixels_that_the_holds_changed():
    """Colorful holds on a gray wall: the photo is colorful inside their masks, and gray just outside."""
    amounts = Amounts(holds=40, volumes=0, colors=10)
    wall = render_wall(11, 360, 480, amounts=amounts, finishes=("gray", "gray"), closeness=1.5)
    chroma = np.ptp(wall.rgb.astype(int), axis=2)
    owned = np.any([wall.full_mask(hold) for hold in wall.holds], axis=0)
    colorful = [h for h in wall.holds if h.area_px > 100 and np.ptp(h.rgb) > 90 and not h.hard]
    assert len(colorful) >= 10
    contrasts = []
    for hold in colorful:
        mask = wall.full_mask(hold)
        around = cv2.dilate(mask.astype(np.uint8), np.ones((15, 15), np.uint8)).astype(bool) & ~owned
        contrasts.append(np.median(chroma[mask]) - np.median(chroma[around]))
    assert np.mean(np.array(contrasts) > 15) > 0.9


def test_details_scale_with_the_photo():
    amounts = Amounts(holds=20, volumes=2, colors=5)
    small, large = (render_wall(8, 120 * k, 160 * k, amounts=amounts) for k in (1, 3))
    area = [sum(hold.area_px for hold in wall.holds) / wall.rgb[..., 0].size for wall in (small, large)]
    assert area[0] == pytest.approx(area[1], rel=0.1)


@pytest.mark.parametrize("finish", sorted(FINISHES))
def test_every_finish_renders(finish):
    wall = render_wall(1, 96, 128, amounts=Amounts(holds=0, volumes=0, colors=1), finishes=(finish, finish))
    assert wall.holds == ()
    assert wall.rgb.std() > 2


def test_pairs_name_known_finishes():
    assert {name for pair in PAIRS for name in pair} <= set(FINISHES)


def test_names_are_the_palette_and_colors_are_visible_values():
    for seed in range(3):
        for hold in render_wall(seed, 120, 160).holds:
            assert hold.color in WEIGHTS
            assert all(0 <= value <= 255 for value in hold.rgb)
