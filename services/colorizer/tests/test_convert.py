import numpy as np
import pytest
from climbmate.colorizer.v1 import colorizer_pb2
from colorizer import convert
from colorizer.colorist import BadCrop, HoldCrop, NamedColor
from servicekit.errors import InvalidParameter


def only(message):
    (crop,) = convert.to_crops(colorizer_pb2.ColorHoldsRequest(crops=[message]))
    return crop


def test_an_empty_request_has_no_crops():
    assert list(convert.to_crops(colorizer_pb2.ColorHoldsRequest())) == []


def test_pixels_and_mask_come_through_in_their_grid(message):
    crop = only(message((1, 2, 3), hold_id=5))
    assert isinstance(crop, HoldCrop)
    assert crop.hold_id == 5
    assert crop.rgb.shape == (30, 40, 3)
    assert crop.mask.shape == (30, 40)
    assert (crop.rgb[crop.mask] == (1, 2, 3)).all()


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"width": 0}, "0 by 30"),
        ({"height": 0}, "40 by 0"),
        ({"width": 513}, "513 by 30"),
        ({"height": 4_294_967_295}, "4294967295"),
        ({"rgb": b""}, "not 0"),
        ({"rgb": b"\0" * 3599}, "not 3599"),
        ({"bits": b""}, "takes 150 bytes, got 0"),
        ({"bits": b"\xff" * 151}, "takes 150 bytes, got 151"),
    ],
)
def test_a_message_that_contradicts_itself_becomes_a_bad_crop_that_says_why(message, spoiled, reason):
    crop = only(message((1, 2, 3), hold_id=9, **spoiled))
    assert isinstance(crop, BadCrop)
    assert crop.hold_id == 9
    assert reason in crop.reason
    assert crop.reason.endswith(".")


def test_a_message_without_anything_becomes_a_bad_crop():
    assert isinstance(only(colorizer_pb2.Crop()), BadCrop)


def test_as_many_crops_as_a_photo_has_holds_are_accepted_and_one_more_is_not():
    convert.check(colorizer_pb2.ColorHoldsRequest(crops=[colorizer_pb2.Crop()] * 300))
    with pytest.raises(InvalidParameter) as caught:
        convert.check(colorizer_pb2.ColorHoldsRequest(crops=[colorizer_pb2.Crop()] * 301))
    assert caught.value.details == {"crops": "must be at most 300, not 301"}


def test_a_color_without_pixels_has_no_rgb():
    (unknown, red) = convert.from_colors(
        [NamedColor(1, "unknown", 0.0, None, "Why."), NamedColor(2, "red", 0.5, (0, 0, 0))]
    )
    assert not unknown.color.HasField("rgb")
    assert unknown.color.unknown_reason == "Why."
    assert red.color.HasField("rgb")
    assert red.color.confidence == pytest.approx(0.5)


def test_the_palette_keeps_its_order(toy_palette):
    colors = convert.from_palette(toy_palette).colors
    assert [c.name for c in colors] == ["red", "green", "blue"]
    assert colors[0].prompts == ["a red climbing hold"]
    assert (colors[2].display.red, colors[2].display.blue) == tuple(np.array([20, 200]))
