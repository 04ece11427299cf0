"""What climbmate has analyzed can be drawn on, also where Pillow balks at the photo."""

import io

import numpy as np
import pytest
from climbmate_client import Analysis, Hold
from climbmate_client.answers import Image as Size
from climbmate_client.overlay import draw
from PIL import Image, UnidentifiedImageError

WH = (160, 120)
XMP = b'http://ns.adobe.com/xap/1.0/\0<rdf:Description xmlns:tiff="t" tiff:Orientation="6"/>'


def photo():
    noise = np.random.default_rng(0).integers(0, 256, (WH[1], WH[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


def analysis():
    square = ((20, 20), (90, 20), (90, 90), (20, 90))
    return Analysis("01TEST", Size(*WH), (Hold(0, "hold", 0.9, (20, 20, 90, 90), square, 4900),), ())


PHOTO = photo()
MIDDLE = len(PHOTO) // 2
WITH_XMP = PHOTO[:20] + b"\xff\xe1" + (len(XMP) + 2).to_bytes(2, "big") + XMP + PHOTO[20:]


@pytest.mark.parametrize(
    "data",
    [
        PHOTO[:-2],
        PHOTO[:MIDDLE],
        PHOTO[:MIDDLE] + b"\xff\xf7" + PHOTO[MIDDLE:],
        PHOTO[:2] + PHOTO,
        WITH_XMP,
    ],
    ids=["no end", "broke off", "broken in the middle", "two starts", "turned by XMP alone"],
)
@pytest.mark.parametrize("longer_side_px", [2048, 80])
def test_the_outline_is_drawn_in_the_shape_of_the_photo(data, longer_side_px):
    drawn = draw(data, analysis(), longer_side_px=longer_side_px)
    assert drawn.size == (WH if longer_side_px > 160 else (80, 60))
    without = draw(data, Analysis("01TEST", Size(*WH), (), ()), longer_side_px=longer_side_px)
    assert np.abs(np.asarray(drawn).astype(int) - np.asarray(without)).max() > 40


def test_of_a_photo_that_broke_off_the_rest_is_seen():
    top, whole = (np.asarray(draw(data, analysis()))[:16].astype(int) for data in (PHOTO[:MIDDLE], PHOTO))
    assert np.abs(top - whole).max() == 0


def test_what_is_no_photo_is_still_an_error():
    with pytest.raises(UnidentifiedImageError):
        draw(b"hello, climber", analysis())
