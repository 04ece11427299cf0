"""The shipped sample photo and its truth belong together."""

import json
from pathlib import Path

import cv2
import numpy as np

from training.renderer.sample import SIZE_WH, render_sample

ASSETS = Path(__file__).parents[3] / "assets"


def _truth() -> dict:
    (photo,) = json.loads((ASSETS / "sample-wall.json").read_text())
    return photo


def test_the_photo_is_a_phone_photo_of_twelve_megapixels_and_at_most_three_megabytes():
    photo = cv2.imread(str(ASSETS / "sample-wall.jpg"))
    assert photo.shape[1::-1] == SIZE_WH
    assert (ASSETS / "sample-wall.jpg").stat().st_size <= 3_000_000


def test_it_shows_about_45_holds_in_nine_colors_several_problems_and_volumes():
    holds = [hold for hold in _truth()["holds"] if hold["kind"] == "hold"]
    assert 40 <= len(holds) <= 50
    assert len({hold["color"] for hold in holds}) >= 9
    assert len({hold["problem"] for hold in holds}) >= 5
    assert 2 <= sum(hold["kind"] == "volume" for hold in _truth()["holds"]) <= 3


def test_outlines_lie_in_their_boxes_and_in_the_photo():
    for hold in _truth()["holds"]:
        outline, box = np.array(hold["polygon"]), np.array(hold["box"])
        assert (outline >= box[:2] - 1).all()
        assert (outline <= box[2:] + 1).all()
        assert (box >= 0).all()
        assert (box[2:] <= SIZE_WH).all()


def test_the_code_still_renders_the_shipped_wall():
    """At an eighth of the size: the same holds, each in the same place and color."""
    small = render_sample((SIZE_WH[0] // 8, SIZE_WH[1] // 8))
    shipped = _truth()["holds"]
    assert [hold.color for hold in small.holds] == [hold["color"] for hold in shipped]
    boxes = np.array([hold.box_xyxy for hold in small.holds]) * 8
    assert np.abs(boxes - np.array([hold["box"] for hold in shipped])).max() <= 24
