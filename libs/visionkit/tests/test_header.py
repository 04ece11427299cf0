import io
import struct
import time
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from servicekit.errors import ImageTooLarge, InvalidImage, UnsupportedFormat
from visionkit import codec, header
from visionkit.pixels import heic

NOISE = np.random.default_rng(0).integers(0, 256, (30, 50, 4), np.uint8)


def encoded(kind, *, mode="RGB", orientation=None, wh=(50, 30), **options):
    pillow_heif.register_heif_opener()
    image = Image.fromarray(NOISE).resize(wh).convert("RGBA" if "A" in mode else "RGB").convert(mode)
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif.tobytes()
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, depth=8, kind=2, *chunks):
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"".join([b"\x89PNG\r\n\x1a\n", start, *chunks, chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b"")])


def jpeg_claiming(width, height):
    data = encoded("JPEG")
    return data.replace(struct.pack(">HH", 30, 50), struct.pack(">HH", height, width), 1)


def riff(*chunks):
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended_webp(width, height, flags=0, *chunks):
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff((b"VP8X", bytes([flags, 0, 0, 0]) + sides), *chunks)


def test_no_bytes_are_no_photo():
    with pytest.raises(InvalidImage, match="empty"):
        header.probe(b"")


@pytest.mark.parametrize(
    "data",
    [b"x", b"<html></html>", b"GIF89a" + b"\0" * 20, b"II*\0" + b"\0" * 20, b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypavif"],
)
def test_a_format_that_is_not_served_is_named_as_such(data):
    with pytest.raises(UnsupportedFormat, match="not a JPEG, PNG, WebP or HEIC"):
        header.probe(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encoded("JPEG"), ("jpeg", 50, 30, 8, 3, False, 1)),
        (encoded("JPEG", mode="L"), ("jpeg", 50, 30, 8, 1, False, 1)),
        (encoded("JPEG", mode="CMYK"), ("jpeg", 50, 30, 8, 4, False, 1)),
        (encoded("JPEG", progressive=True), ("jpeg", 50, 30, 8, 3, True, 1)),
        (encoded("JPEG", restart_marker_blocks=1), ("jpeg", 50, 30, 8, 3, False, 1)),
        (encoded("PNG"), ("png", 50, 30, 8, 3, False, 1)),
        (encoded("PNG", mode="1"), ("png", 50, 30, 1, 1, False, 1)),
        (encoded("PNG", mode="L"), ("png", 50, 30, 8, 1, False, 1)),
        (encoded("PNG", mode="LA"), ("png", 50, 30, 8, 2, False, 1)),
        (encoded("PNG", mode="P"), ("png", 50, 30, 8, 3, False, 1)),
        (encoded("PNG", mode="P", transparency=0), ("png", 50, 30, 8, 4, False, 1)),
        (encoded("PNG", mode="RGBA"), ("png", 50, 30, 8, 4, False, 1)),
        (encoded("PNG", mode="I;16"), ("png", 50, 30, 16, 1, False, 1)),
        (encoded("WEBP"), ("webp", 50, 30, 8, 3, False, 1)),
        (encoded("WEBP", lossless=True), ("webp", 50, 30, 8, 3, False, 1)),
        (encoded("WEBP", mode="RGBA"), ("webp", 50, 30, 8, 4, False, 1)),
        (encoded("WEBP", mode="RGBA", lossless=True), ("webp", 50, 30, 8, 4, False, 1)),
        (encoded("WEBP", icc_profile=b"profile"), ("webp", 50, 30, 8, 3, False, 1)),
        (encoded("HEIF"), ("heic", 50, 30, 8, 3, False, 1)),
        (encoded("HEIF", mode="L"), ("heic", 50, 30, 8, 1, False, 1)),
        (encoded("HEIF", mode="RGBA"), ("heic", 50, 30, 8, 4, False, 1)),
    ],
)
def test_a_header_says_what_is_in_the_file(data, expected):
    found = header.probe(data)
    described = (found.format, found.width, found.height, found.bit_depth, found.channels, found.progressive)
    assert (*described, found.orientation) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_one_pixel_is_a_photo(kind):
    found = header.probe(encoded(kind, wh=(1, 1)))
    assert (found.width, found.height, found.pixels) == (1, 1, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_read_and_swaps_the_sides_from_five_on(kind, orientation):
    found = header.probe(encoded(kind, orientation=orientation))
    assert found.orientation == orientation
    assert (found.width, found.height) == (50, 30)
    assert found.shown_wh == ((30, 50) if orientation >= 5 else (50, 30))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_nonsense_orientation_counts_as_upright(orientation):
    assert header.probe(encoded("JPEG", orientation=orientation)).orientation == 1


def test_a_little_endian_orientation_is_read():
    tiff = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x0112, 3, 1, 6)
    assert header.probe(encoded("JPEG", exif=b"Exif\0\0" + tiff)).orientation == 6


@pytest.mark.parametrize("tiff", [b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"what?"])
def test_damaged_metadata_does_not_cost_the_photo(tiff):
    assert header.probe(encoded("JPEG", exif=b"Exif\0\0" + tiff)).orientation == 1


@pytest.mark.parametrize(
    ("data", "samples"),
    [
        (encoded("JPEG", mode="L"), 1),
        (encoded("JPEG", subsampling="4:2:0"), 1.5),
        (encoded("JPEG", subsampling="4:2:2"), 2),
        (encoded("JPEG", subsampling="4:4:4"), 3),
        (encoded("PNG", mode="P"), 1),
        (encoded("PNG", mode="RGBA"), 4),
        (encoded("WEBP"), 1.5),
        (encoded("WEBP", mode="RGBA"), 2.5),
        (encoded("WEBP", lossless=True), 3),
        (encoded("WEBP", mode="RGBA", lossless=True), 4),
        (encoded("WEBP", lossless=True, icc_profile=b"profile"), 3),
    ],
)
def test_stored_samples_are_counted(data, samples):
    assert header.probe(data).samples_per_px == samples


def test_a_sequential_jpeg_in_several_scans_counts_as_progressive():
    data = encoded("JPEG")
    scan = data.index(b"\xff\xda")
    one_component = data[:scan] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + data[scan:]
    assert header.probe(one_component).progressive


@pytest.mark.parametrize(
    "data",
    [jpeg_claiming(65000, 65000), png(65000, 65000)],
)
def test_a_claim_of_65000_squared_is_reported_and_can_be_refused(data):
    found = header.probe(data)
    assert found.shown_wh == (65000, 65000)
    header.ensure_within(found, 65000 * 65000)
    with pytest.raises(ImageTooLarge, match="65000 x 65000") as raised:
        header.ensure_within(found, 100_000_000)
    claimed = {"width": "65000", "height": "65000", "decoded_pixels": "4225000000"}
    assert raised.value.details == {**claimed, "max_pixels": "100000000"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_header_cut_anywhere_is_an_invalid_image_or_unknown(kind):
    data = encoded(kind)
    ends = {"JPEG": data.find(b"\xff\xda") + 4, "HEIF": data.find(b"mdat") - 4, "PNG": data.find(b"IEND") - 4}
    end = ends.get(kind, len(data) - 1)
    for cut in range(1, end):
        with pytest.raises((InvalidImage, UnsupportedFormat)):
            header.probe(data[:cut])


@pytest.mark.parametrize(
    "data",
    [
        jpeg_claiming(0, 30),
        jpeg_claiming(50, 0),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xc0\x00\x02\xff\xda\x00\x02",
        b"\xff\xd8\xff\xe0\x00\x00",
        b"\xff\xd8" + b"\xff" * 100_000,
        png(0, 1),
        png(1, 2**31),
        png(1, 1, 3, 2),
        png(1, 1, 8, 1),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        png(1, 1, 8, 2, *[chunk(b"tEXt", b"")] * 100_000),
        riff(),
        riff((b"ICCP", b"profile")),
        riff((b"VP8 ", b"\0" * 9)),
        riff((b"VP8 ", b"\0\0\0\x9d\x01\x2a\0\0\0\0")),
        riff((b"VP8L", b"\0" * 5)),
        riff((b"VP8X", b"\0" * 9)),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_at_once(data):
    started = time.perf_counter()
    with pytest.raises(InvalidImage):
        header.probe(data)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    "data",
    [
        encoded("JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1),
        encoded("JPEG").replace(b"\xff\xc0", b"\xff\xc9", 1),
        encoded("PNG", save_all=True, append_images=[Image.new("RGB", (50, 30))]),
        encoded("WEBP", save_all=True, append_images=[Image.new("RGB", (50, 30))]),
    ],
)
def test_lossless_and_arithmetic_jpegs_and_animations_are_not_served(data):
    with pytest.raises(UnsupportedFormat):
        header.probe(data)


def test_heic_without_its_extra_is_an_unsupported_format(monkeypatch):
    data = encoded("HEIF")
    monkeypatch.setattr(heic, "pillow_heif", None)
    with pytest.raises(UnsupportedFormat, match="send a JPEG"):
        codec.decode(data, header.probe(data), max_side_px=100)


def test_probing_decodes_nothing():
    data = encoded("JPEG", wh=(6000, 4000), quality=95)
    started = time.perf_counter()
    header.probe(data)
    assert time.perf_counter() - started < 0.02
