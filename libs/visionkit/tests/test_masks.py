import cv2
import numpy as np
import pytest
from visionkit import masks


def filled(shape, *boxes):
    mask = np.zeros(shape, np.bool_)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def ellipse(height, width):
    canvas = np.zeros((height, width), np.uint8)
    cv2.ellipse(canvas, (width // 2, height // 2), (width // 2 - 2, height // 2 - 2), 0, 0, 360, 1, -1)
    return canvas.astype(np.bool_)


def rasterized(polygon, shape):
    """Cells whose center lies inside the polygon."""
    scale = 16
    canvas = np.zeros((shape[0] * scale, shape[1] * scale), np.uint8)
    cv2.fillPoly(canvas, [np.rint(polygon * scale - 0.5).astype(np.int32)], 1)
    return canvas[scale // 2 :: scale, scale // 2 :: scale].astype(np.bool_)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (3, 5), (8, 8), (7, 13)])
def test_unpacking_a_packed_mask_gives_it_back(shape):
    mask = np.random.default_rng(1).random(shape) > 0.5
    unpacked = masks.unpack(masks.pack(mask), shape[1], shape[0])
    assert unpacked.dtype == np.bool_
    assert unpacked.shape == shape
    np.testing.assert_array_equal(unpacked, mask)


def test_bits_run_row_by_row_without_padding_and_most_significant_first():
    mask = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 1]], np.bool_)
    assert masks.pack(mask) == bytes([0b1000_0001, 0b1000_0000])


def test_a_mask_that_is_a_view_packs_like_its_copy():
    mask = np.random.default_rng(2).random((9, 12)) > 0.5
    assert masks.pack(mask[::2, 1::3]) == masks.pack(mask[::2, 1::3].copy())


@pytest.mark.parametrize(
    ("bits", "width", "height"),
    [(b"", 1, 1), (b"\0\0", 2, 4), (b"\0", 3, 3), (b"", -1, 0), (b"\0", -2, -4)],
)
def test_bits_of_the_wrong_length_are_refused(bits, width, height):
    with pytest.raises(ValueError, match="takes"):
        masks.unpack(bits, width, height)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (1, 1), (5, 7)])
def test_an_empty_mask_has_no_outline(shape):
    with pytest.raises(ValueError, match="no outline"):
        masks.to_polygon(np.zeros(shape, np.bool_))


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ((1, 1), (0, 0, 1, 1)),
        ((5, 5), (2, 3, 3, 4)),
        ((1, 9), (0, 0, 9, 1)),
        ((9, 1), (0, 2, 1, 5)),
        ((12, 20), (0, 0, 20, 12)),
        ((12, 20), (3, 2, 17, 11)),
    ],
)
def test_a_box_is_outlined_along_its_cell_edges(shape, box):
    polygon = masks.to_polygon(filled(shape, box))
    x0, y0, x1, y1 = box
    assert polygon.dtype == np.float32
    assert {tuple(point) for point in polygon.tolist()} == {(x0, y0), (x1, y0), (x1, y1), (x0, y1)}


def test_two_diagonal_pixels_have_an_outline_of_at_least_three_points():
    polygon = masks.to_polygon(np.eye(2, dtype=np.bool_))
    assert len(polygon) >= 3
    assert polygon.min() == 0
    assert polygon.max() == 2


def test_only_the_largest_part_is_outlined():
    polygon = masks.to_polygon(filled((20, 20), (0, 0, 3, 3), (8, 8, 18, 16)))
    np.testing.assert_array_equal(polygon.min(axis=0), [8, 8])
    np.testing.assert_array_equal(polygon.max(axis=0), [18, 16])


def test_holes_are_filled():
    mask = filled((20, 20), (2, 2, 18, 18))
    mask[8:12, 8:12] = False
    assert len(masks.to_polygon(mask)) == 4


@pytest.mark.parametrize("size", [(24, 24), (40, 90), (301, 200)])
def test_a_round_outline_is_simplified_and_still_covers_the_mask(size):
    mask = ellipse(*size)
    polygon = masks.to_polygon(mask)
    drawn = rasterized(polygon, mask.shape)
    assert len(polygon) < 80
    assert (drawn & mask).sum() / (drawn | mask).sum() > 0.93


def test_no_vertex_leaves_the_mask_by_more_than_a_pixel():
    mask = np.random.default_rng(3).random((30, 30)) > 0.4
    polygon = masks.to_polygon(mask)
    grown = cv2.dilate(np.pad(mask, 2).astype(np.uint8), np.ones((5, 5), np.uint8))
    assert all(grown[int(y) + 2, int(x) + 2] for x, y in np.minimum(polygon, 29))


def test_outlining_does_not_change_the_mask():
    mask = filled((6, 6), (1, 1, 5, 5))
    masks.to_polygon(mask)
    np.testing.assert_array_equal(mask, filled((6, 6), (1, 1, 5, 5)))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 1), (4, 6)])
def test_eroding_an_empty_mask_gives_it_back(shape):
    mask = np.zeros(shape, np.bool_)
    np.testing.assert_array_equal(masks.erode_core(mask), mask)


@pytest.mark.parametrize("mask", [filled((1, 1), (0, 0, 1, 1)), filled((40, 60), (0, 20, 60, 23))])
def test_a_hold_too_thin_to_erode_stays_as_it_is(mask):
    np.testing.assert_array_equal(masks.erode_core(mask), mask)


@pytest.mark.parametrize(("side", "margin"), [(6, 1), (19, 1), (20, 2), (30, 2), (50, 4), (90, 8)])
def test_erosion_by_about_a_tenth_of_the_side_takes_off_the_margin(side, margin):
    assert masks.eroded_px((side, side)) == margin
    core = masks.erode_core(np.ones((side, side), np.bool_))
    middle = core[side // 2]
    assert not middle[:margin].any()
    assert middle[margin : side - margin].all()
    assert not middle[side - margin :].any()


def test_the_core_lies_inside_the_mask():
    mask = ellipse(60, 80)
    core = masks.erode_core(mask)
    assert core.any()
    assert not (core & ~mask).any()
    assert core.sum() < mask.sum()
