import pytest
from detector.canvas import MOST_OBLONG, STRIDE_PX, canvas_wh, sizes

SIDES_PX = [320, 480, 640, 960]
SHAPES = [(1, 1), (4, 3), (3, 4), (3, 2), (16, 9), (9, 16), (4032, 3024), (1279, 853), (5000, 1), (1, 5000)]


@pytest.mark.parametrize("side_px", SIDES_PX)
@pytest.mark.parametrize("wh", SHAPES)
def test_a_canvas_is_never_larger_than_the_square_and_fits_the_network(wh, side_px):
    width, height = canvas_wh(*wh, side_px)
    assert width * height <= side_px**2
    assert width % STRIDE_PX == height % STRIDE_PX == 0
    assert max(width, height) <= MOST_OBLONG * min(width, height)
    allowed = sizes([side_px])
    assert width in allowed["width"]
    assert height in allowed["height"]


@pytest.mark.parametrize("side_px", SIDES_PX)
@pytest.mark.parametrize("wh", SHAPES)
def test_no_photo_is_shown_smaller_than_in_the_square(wh, side_px):
    width, height = canvas_wh(*wh, side_px)
    assert min(width / wh[0], height / wh[1]) >= side_px / max(wh)


def test_a_phone_photo_is_shown_a_seventh_larger():
    assert canvas_wh(4032, 3024, 640) == (736, 544)
    assert canvas_wh(3024, 4032, 640) == (544, 736)
    assert canvas_wh(1000, 1000, 640) == (640, 640)


def test_the_usual_square_is_the_first_of_the_sizes():
    assert sizes([640, 320])["height"][:2] == (640, 320)
