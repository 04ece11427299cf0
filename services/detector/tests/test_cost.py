import pytest
from detector.cost import request_bytes
from visionkit import codec
from visionkit.photo import DecodedPlanes, PhotoHeader

CODED = DecodedPlanes(4032 * 3024, 1.5, 8, blocks=3024)
USUAL = {"file_bytes": 3_000_000, "max_side_px": 1280, "square_side_px": 640, "max_holds": 40}


def header(**changes):
    fields = {"format": "jpeg", "width": 4032, "height": 3024, "bit_depth": 8, "channels": 3}
    fields |= {"progressive": False, "orientation": 1, "samples_per_px": 1.5}
    return PhotoHeader(**(fields | changes))


def test_a_scaled_jpeg_costs_what_the_network_takes_however_large_it_is():
    assert request_bytes(header(), **USUAL) == request_bytes(header(width=8064, height=6048), **USUAL)


@pytest.mark.parametrize(
    "changes", [{"progressive": True}, {"format": "png"}, {"format": "webp"}, {"format": "heic", "planes": (CODED,)}]
)
def test_what_is_decoded_at_full_size_costs_at_least_its_decoding(changes):
    photo = header(**changes)
    decode = codec.predict_peak_bytes(photo, file_bytes=3_000_000, max_side_px=1280)
    assert request_bytes(photo, **USUAL) >= decode > 30e6


@pytest.mark.parametrize(
    ("changes", "more_bytes"),
    [({"square_side_px": 960}, 20e6), ({"max_holds": 300}, 10e6)],
)
def test_a_larger_square_and_more_holds_cost_more(changes, more_bytes):
    assert request_bytes(header(), **USUAL | changes) >= request_bytes(header(), **USUAL) + more_bytes


def test_a_phone_photo_leaves_room_for_others_in_the_small_profile():
    assert request_bytes(header(), **USUAL) < 32e6
