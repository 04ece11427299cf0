import numpy as np
import pytest
from detector.boxes import Detections
from detector.letterbox import Letterbox
from detector.looks import look_through
from detector.pipeline import is_plain, outlined, with_crop

PROTOTYPES = np.ones((32, 80, 80), np.float32)


def found_with(*sides):
    """Holds of the given sides in a row, less confident one by one; masks fill their boxes."""
    boxes = np.array([[20 + 60 * i, 100, 20 + 60 * i + side, 100 + side] for i, side in enumerate(sides)], np.float32)
    count = len(sides)
    confidences = np.linspace(0.9, 0.5, count, dtype=np.float32)
    return Detections(boxes.reshape(-1, 4), confidences, np.arange(count) % 2, np.ones((count, 32), np.float32))


def run(found, max_holds=300, enlargement=(1.0, 1.0), wh=(320, 320)):
    look = look_through(Letterbox.fitting(*wh, (320, 320)), found, PROTOTYPES, wh)
    return outlined([look], enlargement, max_holds)


def test_nothing_found_is_an_empty_list():
    assert run(found_with()) == []


def test_the_largest_are_kept_and_stay_in_order_of_confidence():
    holds = [o.hold for o in run(found_with(10, 40, 20, 30), max_holds=2)]
    assert [hold.area_px for hold in holds] == [1600, 900]
    assert [round(hold.confidence, 2) for hold in holds] == [0.77, 0.5]
    holds = [o.hold for o in run(found_with(10, 30, 20, 40), max_holds=2)]
    assert [hold.area_px for hold in holds] == [900, 1600]


def test_coordinates_are_those_of_the_photo_as_shown():
    (hold,) = [o.hold for o in run(found_with(40), enlargement=(2.0, 3.0))]
    np.testing.assert_allclose(hold.box_xyxy, [40, 300, 120, 420])
    np.testing.assert_allclose([hold.polygon.min(axis=0), hold.polygon.max(axis=0)], [[40, 300], [120, 420]], atol=0.01)
    assert hold.area_px == 80 * 120


def test_what_lies_in_the_padding_is_no_hold():
    found = found_with(30, 30)
    found.boxes_xyxy[1] = [60, 2, 90, 30]  # a photo of 320 x 160 begins at row 80
    assert len(run(found, wh=(320, 160))) == 1


@pytest.mark.parametrize("side", [0.2, 0.9])
def test_what_is_smaller_than_a_pixel_is_no_hold(side):
    assert run(found_with(side)) == []


def test_the_crop_lies_on_the_grid_of_the_mask():
    photo = np.zeros((320, 320, 3), np.uint8)
    photo[100:140, 20:60] = (10, 200, 30)
    hold = with_crop(run(found_with(40))[0], photo)
    assert hold.crop_rgb.shape == (*hold.mask.shape, 3)
    assert (hold.crop_rgb == (10, 200, 30)).all()


def wall_with_a_hold(contrast):
    rgb = np.full((40, 60, 3), 100, np.uint8)
    rgb[10:20, 10:20, 2] += np.uint8(contrast)
    return rgb


@pytest.mark.parametrize(
    ("rgb", "plain"),
    [
        (np.zeros((1, 1, 3), np.uint8), True),
        (np.full((480, 640, 3), (200, 30, 60), np.uint8), True),
        (wall_with_a_hold(contrast=5), True),
        (wall_with_a_hold(contrast=10), False),
    ],
    ids=["one pixel", "a colored card", "noise", "a faint hold in one channel"],
)
def test_a_photo_of_one_color_all_over_is_plain(rgb, plain):
    assert is_plain(rgb) is plain
