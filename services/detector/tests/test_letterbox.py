import numpy as np
import pytest
from detector.letterbox import PAD_GRAY, Letterbox

SQUARE = (320, 320)
SIZES = [(1, 1), (1, 5000), (5000, 1), (640, 640), (800, 1067), (1280, 960), (1279, 853), (333, 77), (4032, 3024)]


@pytest.mark.parametrize("wh", SIZES)
@pytest.mark.parametrize("canvas_wh", [(320, 320), (736, 544), (480, 832)])
def test_boxes_survive_the_round_trip_within_half_a_pixel(wh, canvas_wh):
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 1, (50, 2, 2)) * wh
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)
    letterbox = Letterbox.fitting(*wh, canvas_wh)
    assert np.abs(letterbox.to_photo(letterbox.from_photo(boxes)) - boxes).max() <= 0.5


@pytest.mark.parametrize("wh", SIZES)
@pytest.mark.parametrize("canvas_wh", [(640, 640), (736, 544), (480, 832)])
def test_the_whole_photo_lies_on_the_canvas_and_touches_two_sides(wh, canvas_wh):
    letterbox = Letterbox.fitting(*wh, canvas_wh)
    inside = letterbox.from_photo(np.array([[0, 0, *wh]], np.float32))[0]
    assert inside.min() >= 0
    assert (inside[2:] <= np.array(canvas_wh) + 0.001).all()
    assert any(inner == whole for inner, whole in zip(letterbox.inner_wh, canvas_wh, strict=True))


def test_the_aspect_ratio_is_kept_and_the_rest_is_gray():
    image = Letterbox.fitting(100, 50, SQUARE).image(np.full((50, 100, 3), 255, np.uint8))
    assert image.shape == (1, 3, 320, 320)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image[0, :, 80:240], 1)
    np.testing.assert_allclose(image[0, :, :80], PAD_GRAY / 255)
    np.testing.assert_allclose(image[0, :, 240:], PAD_GRAY / 255)


def test_channels_stay_red_green_blue():
    image = Letterbox.fitting(4, 4, SQUARE).image(np.full((4, 4, 3), (255, 127, 0), np.uint8))
    np.testing.assert_allclose(image[0, :, 100, 100], [1, 127 / 255, 0])


def test_no_boxes_map_to_no_boxes():
    assert Letterbox.fitting(100, 50, SQUARE).to_photo(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_boxes_in_the_padding_are_clipped_to_the_photo():
    box = Letterbox.fitting(100, 50, SQUARE).to_photo(np.array([[-20, -20, 400, 400]], np.float32))
    np.testing.assert_allclose(box, [[0, 0, 100, 50]])
