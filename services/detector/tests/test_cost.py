import pytest
from detector.cost import decode_bytes, request_bytes
from visionkit.photo import PhotoHeader


def header(**changes):
    fields = {"format": "jpeg", "width": 4032, "height": 3024, "bit_depth": 8, "channels": 3}
    fields |= {"progressive": False, "orientation": 1, "samples_per_px": 1.5}
    return PhotoHeader(**(fields | changes))


def test_a_scaled_jpeg_costs_the_same_however_large_it_is():
    assert decode_bytes(header(), 1280) == decode_bytes(header(width=16128, height=12096), 1280)


@pytest.mark.parametrize(
    ("changes", "at_least_bytes_per_px"),
    [
        ({"progressive": True}, 3),
        ({"format": "png"}, 4),
        ({"format": "webp"}, 6),
        ({"format": "heic"}, 5),
        ({"format": "heic", "channels": 4}, 12),
    ],
)
def test_what_is_decoded_at_full_size_costs_by_its_pixels(changes, at_least_bytes_per_px):
    assert decode_bytes(header(**changes), 1280) > at_least_bytes_per_px * 4032 * 3024


def test_a_larger_square_and_more_holds_cost_more():
    common = {"max_side_px": 1280, "square_side_px": 640, "max_holds": 40}
    base = request_bytes(header(), **common)
    assert request_bytes(header(), **common | {"square_side_px": 960}) > base + 40e6
    assert request_bytes(header(), **common | {"max_holds": 300}) > base + 10e6
