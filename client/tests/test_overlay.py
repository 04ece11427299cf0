"""The overlay shows each hold's outline in its color on the upright photo, whatever is behind it."""

import io

import msgspec
import numpy as np
import pytest
from climbmate_client import Analysis, Color, Hold, Problem
from climbmate_client.answers import Image as Size
from climbmate_client.labels import place_labels
from climbmate_client.overlay import draw
from PIL import Image

RED, BLACK = (214, 40, 40), (20, 20, 20)


def photo(size=(400, 300), color=(128, 128, 128), orientation=1, kind="JPEG"):
    encoded = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, color).save(encoded, kind, exif=exif)
    return encoded.getvalue()


def square(number, left, top, side, color):
    right, bottom = left + side, top + side
    points = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Hold(number, "hold", 0.9, (left, top, right, bottom), points, side * side, color)


def analysis(*holds, problems=(), size=(400, 300)):
    return Analysis("1", Size(*size), holds, tuple(problems))


def near(image, xy, color, tolerance=40):
    """Whether the color occurs within 6 pixels of a point."""
    x, y = xy
    pixels = np.asarray(image.crop((x - 6, y - 6, x + 6, y + 6)), int)
    return bool((np.abs(pixels - color).max(axis=2) <= tolerance).any())


def test_a_wall_without_holds_is_the_photo_itself():
    assert np.abs(np.asarray(draw(photo(), analysis()), int) - 128).max() <= 2


@pytest.mark.parametrize("wall", [(0, 0, 0), (255, 255, 255), RED, BLACK])
@pytest.mark.parametrize("rgb", [RED, BLACK, (240, 240, 240)])
def test_an_outline_is_seen_on_any_wall(wall, rgb):
    image = draw(photo(color=wall), analysis(square(0, 100, 100, 100, Color("red", 0.9, rgb))))
    assert near(image, (100, 150), rgb)
    pixels = np.asarray(image.convert("L"), int)[140:160, 85:115]
    assert np.ptp(pixels) > 64  # the line or its casing stands out


def test_the_palettes_color_wins_over_the_photographed_one_and_gray_stands_for_none():
    holds = (square(0, 50, 50, 50, Color("red", 0.9, (90, 60, 60))), square(1, 250, 50, 50, None))
    image = draw(photo(color=(0, 0, 80)), analysis(*holds), palette={"red": RED})
    assert near(image, (50, 75), RED)
    assert near(image, (250, 75), (160, 160, 160))


def test_a_photo_taken_with_the_camera_turned_is_upright_and_so_are_its_holds():
    turned = photo(size=(300, 400), orientation=6)  # shown 400 wide
    image = draw(turned, analysis(square(0, 300, 20, 60, Color("red", 0.9, RED))))
    assert image.size == (400, 300)
    assert near(image, (300, 50), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_large_photo_of_any_format_is_drawn_smaller(kind):
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    image = draw(photo((1600, 1200), kind=kind), analysis(size=(1600, 1200)), longer_side_px=800)
    assert image.size == (800, 600)


def labeled(*problem_ids):
    holds = [square(number, 40 + 120 * number, 120, 40, Color("red", 0.9, RED)) for number in range(3)]
    return analysis(*holds, problems=[Problem(each, "red", (0, 1, 2), 3, (0, 0, 1, 1)) for each in problem_ids])


def test_labels_are_inside_and_apart_and_beside_the_holds():
    found = labeled("red-1", "red-2", "red-3")
    corners = place_labels(found, dict.fromkeys(("red-1", "red-2", "red-3"), (60, 20)), scale=1, canvas_wh=(400, 300))
    boxes = [(x, y, x + 60, y + 20) for x, y in corners.values()] + [hold.box for hold in found.holds]
    for index, one in enumerate(boxes):
        assert 0 <= one[0] < one[2] <= 400
        assert 0 <= one[1] < one[3] <= 300
        for other in boxes[index + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart


def test_a_problem_is_labeled_in_its_color():
    plain, with_label = draw(photo(), labeled()), draw(photo(), labeled("red-1"))
    changed = np.abs(np.asarray(plain, int) - np.asarray(with_label, int)).max(axis=2) > 60
    assert changed.sum() > 200


def test_an_answer_read_from_json_is_drawn():
    again = msgspec.json.decode(labeled("red-1").to_json(), type=Analysis)
    assert draw(photo(), again).size == (400, 300)
