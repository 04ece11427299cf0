"""A phone held in any way gives the same holds: the shipped network on the sample photo, stored in all eight ways."""

import io
from pathlib import Path

import numpy as np
import pytest
from detector import canvas
from detector.finder import HoldFinder, Query
from detector.model import HoldNetwork
from detector.settings import DetectorSettings
from PIL import Image, ImageOps
from servicekit.cancel import CancelToken
from visionkit import manifest
from visionkit.session import OnnxModel

SIDES_PX = DetectorSettings().sides_px
REPOSITORY = Path(__file__).parents[3]
STORED_AS = {  # what undoes each EXIF orientation's turn: the photo as the sensor had it
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.fixture(scope="module")
def finder():
    path = manifest.load(REPOSITORY / "models").model(DetectorSettings().detector_model).verified_path("network")
    network = HoldNetwork(OnnxModel(path, threads=1, dims={"batch": 1}, sizes=canvas.sizes(SIDES_PX)), SIDES_PX)
    return HoldFinder(network, max_side_px=1280, max_pixels=50_000_000)


def the_sample(width, height):
    with Image.open(REPOSITORY / "assets/sample-wall.jpg") as photo:
        return photo.convert("RGB").resize((width, height), Image.Resampling.BOX)


def found(finder, photo, orientation, encoding):
    stored = photo if STORED_AS[orientation] is None else photo.transpose(STORED_AS[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    stored.save(file, encoding, exif=exif, quality=95)
    assert ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))).size == photo.size
    query = Query(file.getvalue(), max_holds=300, min_confidence=0.25, with_crops=False)
    return finder.find(query, finder.read_header(query), token=CancelToken())


def assert_same_holds(wanted, turned, *, within_px):
    assert turned.shown_wh == wanted.shown_wh
    assert len(turned.holds) == len(wanted.holds) > 30
    boxes = np.array([hold.box_xyxy for hold in turned.holds])
    for hold in wanted.holds:
        assert np.abs(boxes - hold.box_xyxy).max(axis=1).min() <= within_px


@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_same_pixels_stored_another_way_give_the_same_holds(finder, orientation):
    photo = the_sample(960, 1280)
    assert_same_holds(*(found(finder, photo, how, "PNG") for how in (1, orientation)), within_px=0.01)


@pytest.mark.parametrize("orientation", [3, 5, 6, 8])
def test_a_phones_jpeg_stored_another_way_gives_the_same_holds(finder, orientation):
    photo = the_sample(3024, 4032)  # its blocks move with the turn, so pixels differ a little
    assert_same_holds(*(found(finder, photo, how, "JPEG") for how in (1, orientation)), within_px=3)
