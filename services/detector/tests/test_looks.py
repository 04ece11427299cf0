"""Windows cover the photo, and a hold that several of them show is found once."""

import numpy as np
import pytest
from detector.boxes import Detections
from detector.finder import HoldFinder, Query
from detector.letterbox import Letterbox
from detector.looks import look_through, windows, without_duplicates
from servicekit.cancel import CancelToken

PROTOTYPES = np.ones((32, 80, 80), np.float32)


@pytest.mark.parametrize("wh", [(1, 1), (1, 900), (3, 2), (1280, 960), (960, 1280), (1000, 1000)])
@pytest.mark.parametrize("tiles", [1, 2, 4])
def test_windows_lie_in_the_photo_and_cover_it(wh, tiles):
    width, height = wh
    whole, *others = windows(width, height, tiles)
    assert whole == (0, 0, width, height)
    assert len(others) == (tiles if tiles > 1 else 0)
    covered = np.zeros((height, width), bool)
    for x0, y0, x1, y1 in others or [whole]:
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        covered[y0:y1, x0:x1] = True
    assert covered.all()


def test_two_windows_halve_the_longer_side_and_share_its_middle():
    assert windows(900, 600, 2)[1:] == [(0, 0, 500, 600), (400, 0, 900, 600)]
    assert windows(600, 900, 2)[1:] == [(0, 0, 600, 500), (0, 400, 600, 900)]


def looking(window, photo_wh, *boxes_and_confidences):
    """A look in which these photo boxes were found."""
    letterbox = Letterbox.showing(window, (320, 320))
    boxes = np.array([box for box, _ in boxes_and_confidences], np.float32).reshape(-1, 4)
    confidences = np.array([confidence for _, confidence in boxes_and_confidences], np.float32)
    count = len(confidences)
    found = Detections(
        letterbox.from_photo(boxes), confidences, np.zeros(count, np.int64), np.ones((count, 32), np.float32)
    )
    return look_through(letterbox, found, PROTOTYPES, photo_wh)


def test_boxes_of_a_window_are_those_of_the_photo():
    look = looking((400, 0, 900, 600), (900, 600), ([500, 100, 560, 180], 0.9))
    np.testing.assert_allclose(look.boxes_xyxy, [[500, 100, 560, 180]], atol=0.01)


def test_what_an_inner_edge_cuts_is_left_to_the_others_and_what_the_photo_ends_is_kept():
    left = looking((0, 0, 500, 600), (900, 600), ([450, 100, 500, 180], 0.9), ([0, 300, 40, 340], 0.8))
    np.testing.assert_allclose(left.boxes_xyxy, [[0, 300, 40, 340]], atol=0.01)


def test_a_hold_that_several_looks_show_is_kept_where_it_was_seen_best():
    whole = looking((0, 0, 900, 600), (900, 600), ([440, 100, 480, 140], 0.5), ([10, 10, 60, 60], 0.9))
    left = looking((0, 0, 500, 600), (900, 600), ([441, 101, 480, 141], 0.8))
    right = looking((400, 0, 900, 600), (900, 600), ([439, 100, 479, 140], 0.7), ([700, 300, 720, 330], 0.6))
    kept = without_duplicates([whole, left, right])
    assert [look.found.confidences.tolist() for look in kept] == [
        pytest.approx([0.9]),
        pytest.approx([0.8]),
        pytest.approx([0.6]),
    ]


def test_nothing_found_in_any_look_is_nothing():
    kept = without_duplicates([looking(window, (900, 600)) for window in windows(900, 600, 4)])
    assert [len(look.found) for look in kept] == [0] * 5


@pytest.mark.parametrize("tiles", [1, 2])  # the toy's boxes are of one size, too unlike in the smaller windows of 4
def test_a_finder_with_tiles_finds_every_hold_once(toy_network, wall, tiles):
    finder = HoldFinder(toy_network, max_side_px=1280, max_pixels=50_000_000, tiles=tiles)
    query = Query(wall((60, 60), (160, 120), (260, 190)), max_holds=40, min_confidence=0.3, with_crops=True)
    finding = finder.find(query, finder.read_header(query), token=CancelToken())
    found = sorted(tuple(np.round((hold.box_xyxy[:2] + hold.box_xyxy[2:]) / 2)) for hold in finding.holds)
    np.testing.assert_allclose(found, [(60, 60), (160, 120), (260, 190)], atol=6)


def test_a_tile_shows_holds_that_the_whole_photo_is_too_coarse_for(toy_network, wall_rgb, jpeg):
    small = wall_rgb((160, 120))[100:140:2, 140:180:2]
    photo = np.full((960, 1280, 3), 114, np.uint8)
    photo[300:320, 300:320] = small
    found = {}
    for tiles in (1, 4):
        finder = HoldFinder(toy_network, max_side_px=1280, max_pixels=50_000_000, tiles=tiles)
        query = Query(jpeg(photo), max_holds=40, min_confidence=0.3, with_crops=False)
        found[tiles] = len(finder.find(query, finder.read_header(query), token=CancelToken()).holds)
    assert found == {1: 0, 4: 1}
