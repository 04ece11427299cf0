"""The client, the gateway and the decoder agree on what a photo is."""

import io

import pytest
from climbmate_client.photos import media_type
from gateway import formats
from PIL import Image
from servicekit.errors import InvalidImage, UnsupportedFormat
from servicekit.formats import HEAD_BYTES
from visionkit import header

STILL = [b"heic", b"heix", b"heim", b"heis"]
GENERIC = [b"mif1", b"mif2", b"msf1"]
REFUSED = [b"avif", b"avis", b"hevc", b"hevx", b"msf1", b"mp42", b"jxl "]


def container(major, *compatible):
    """The start of an ISO base media file, cut off where its pictures would begin."""
    size = 16 + 4 * len(compatible)
    return size.to_bytes(4, "big") + b"ftyp" + major + bytes(4) + b"".join(compatible)


def encoded(kind):
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 30, 30)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_all_three_know_a_photo_by_the_same_name(kind):
    photo = encoded(kind)
    assert media_type(photo) == f"image/{kind}"
    assert formats.check(photo[:HEAD_BYTES]) == kind
    assert header.probe(photo).format == kind


@pytest.mark.parametrize(
    "photo", [*map(container, STILL), *(container(major, b"miaf", brand) for major in GENERIC for brand in STILL)]
)
def test_a_heic_photo_passes_the_gateway_and_reaches_its_decoder(photo):
    assert media_type(photo) == "image/heic"
    assert formats.check(photo) == "heic"
    with pytest.raises(InvalidImage):  # known as HEIC, and found to be cut off
        header.probe(photo)


@pytest.mark.parametrize(
    "photo", [*map(container, REFUSED), *(container(major, brand) for major in GENERIC for brand in REFUSED)]
)
def test_what_the_decoder_cannot_read_the_gateway_refuses_whatever_the_client_calls_it(photo):
    assert media_type(photo) == "image/heic"
    for look in (formats.check, header.probe):
        with pytest.raises(UnsupportedFormat):
            look(photo)
