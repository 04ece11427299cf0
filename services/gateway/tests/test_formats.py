import pytest
from gateway import formats
from servicekit.errors import InvalidImage, UnsupportedFormat


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"\xff\xd8\xff\xe1", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "webp"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "heic"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "heic"),
    ],
)
def test_the_first_bytes_tell_the_formats_that_are_served(head, name):
    assert formats.check(head) == name


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"GIF89a", "GIF"),
        (b"BM\x00\x00", "BMP"),
        (b"II*\x00", "TIFF"),
        (b"\x00\x00\x00\x1cftypavif", "avif"),
        (b"\x00\x00\x00\x18ftypmsf1", "msf1"),
    ],
)
def test_other_known_formats_are_named_in_the_refusal(head, name):
    with pytest.raises(UnsupportedFormat) as refused:
        formats.check(head)
    assert refused.value.details == {"format": name}


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"RIFF\x10\x00\x00\x00WAVE", b"hello", bytes(1000)])
def test_anything_else_is_no_photo(data):
    with pytest.raises(InvalidImage):
        formats.check(data)
