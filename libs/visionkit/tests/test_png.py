"""PNG chunks: their order, what is left out, and transparency in all its forms."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from servicekit.errors import InvalidImage, UnsupportedFormat
from visionkit import header
from visionkit.container import png as container

from libs.visionkit.tests.photos import chunk, decode, png, smooth

START = b"\x89PNG\r\n\x1a\n"
IHDR = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0))
PIXELS = zlib.compress(b"\0\x0a\xc8")
IDAT, IEND = chunk(b"IDAT", PIXELS), chunk(b"IEND", b"")
LARGE_IHDR = chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0))


def shown(*chunks):
    return decode(START + b"".join(chunks)).rgb[0, :, 0].tolist()


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_second_header_is_refused_wherever_it_stands(place):
    chunks = [IHDR, chunk(b"tEXt", b"a\0b"), IDAT, IEND]
    chunks.insert(place, LARGE_IHDR)
    with pytest.raises(InvalidImage, match="second header"):
        header.probe(START + b"".join(chunks))


@pytest.mark.parametrize(
    "chunks",
    [
        [IHDR, IDAT, IEND],
        [IHDR, IDAT],
        [IHDR, IDAT, chunk(b"tEXt", b"cut off")[:-6]],
        [IHDR, chunk(b"PLTE", bytes(6)), IDAT, IEND],
        [IHDR, IDAT, chunk(b"PLTE", bytes(6)), chunk(b"tRNS", b"\0\x0a"), IEND],
        [IHDR, chunk(b"fcTL", bytes(26)), IDAT, chunk(b"fdAT", bytes(40)), chunk(b"acTL", bytes(8)), IEND],
        [IHDR, chunk(b"IDAT", PIXELS[:5]), chunk(b"IDAT", b""), chunk(b"IDAT", PIXELS[5:]), IEND],
        [IHDR, IDAT, chunk(b"tIME", bytes(7)), chunk(b"IDAT", bytes(99)), IEND],
        [IHDR, chunk(b"tRNS", b"\0\x0a\0"), IDAT, IEND],
        [
            IHDR,
            chunk(b"gAMA", b""),
            chunk(b"cHRM", bytes(3)),
            chunk(b"sBIT", bytes(9)),
            chunk(b"pHYs", b""),
            IDAT,
            IEND,
        ],
    ],
)
def test_what_does_not_belong_where_it_stands_changes_nothing(chunks):
    assert shown(*chunks) == [10, 200]


@pytest.mark.parametrize(
    "chunks",
    [
        [IHDR, IEND],
        [IHDR],
        [IHDR, chunk(b"IDAT", PIXELS)[:-3]],
        [IHDR, chunk(b"IDAT", PIXELS[:5]), chunk(b"tIME", bytes(7)), chunk(b"IDAT", PIXELS[5:]), IEND],
        [chunk(b"tEXt", b"first"), IHDR, IDAT, IEND],
        [chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0)), IDAT, IEND],
    ],
)
def test_a_file_without_all_its_pixels_is_refused(chunks):
    with pytest.raises(InvalidImage):
        decode(START + b"".join(chunks))


def test_an_animation_is_not_served():
    with pytest.raises(UnsupportedFormat, match="Animated"):
        header.probe(START + b"".join([IHDR, chunk(b"acTL", bytes(8)), IDAT, IEND]))


def test_no_packed_text_or_profile_reaches_the_decoder():
    bomb = zlib.compress(bytes(4_000_000))
    others = [chunk(b"zTXt", b"a\0\0" + bomb), chunk(b"iTXt", b"a\0\1\0\0\0" + bomb), chunk(b"iCCP", b"a\0\0" + bomb)]
    spans = container.pixel_chunks(START + b"".join([IHDR, *others, IDAT, *others, IEND]))
    assert b"".join(spans) == START + IHDR + IDAT + IEND


@pytest.mark.parametrize("size", [0, 10, 300_000, 5_000_000])
def test_exif_of_any_size_costs_nothing_but_is_read(size):
    tiff = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0" + bytes(size)
    found = header.probe(START + b"".join([IHDR, chunk(b"eXIf", tiff), IDAT, IEND]))
    assert found.orientation == 6


@pytest.mark.parametrize(("depth", "levels"), [(1, 2), (2, 4), (4, 16), (8, 256), (16, 65536)])
def test_a_transparent_gray_is_white_and_its_neighbors_are_not(depth, levels):
    key = levels // 2
    stored = [key, key - 1, levels - 1]
    if depth == 16:
        row = np.array(stored, ">u2").tobytes()
    else:
        packed = "".join(f"{level:0{depth}b}" for level in stored)
        row = int(packed.ljust(-(-len(packed) // 8) * 8, "0"), 2).to_bytes(-(-len(packed) // 8), "big")
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 1, depth, 0, 0, 0, 0))
    data = [start, chunk(b"tRNS", struct.pack(">H", key)), chunk(b"IDAT", zlib.compress(b"\0" + row)), IEND]
    white, other, lightest = shown(*data)
    assert (white, lightest) == (255, 255)
    assert abs(other - (key - 1) * 255 / (levels - 1)) <= 1


@pytest.mark.parametrize(("dtype", "full"), [(">u1", 255), (">u2", 65535)])
def test_a_transparent_color_is_white_only_where_all_its_bits_agree(dtype, full):
    near = full - 1
    samples = np.array([[[full, 0, 0], [near, 0, 0], [full, 1, 0], [0, 0, full]]], dtype)
    rgb = decode(png(8 if full == 255 else 16, 2, samples, chunk(b"tRNS", struct.pack(">HHH", full, 0, 0)))).rgb[0]
    assert rgb[0].tolist() == [255, 255, 255]
    assert (np.abs(rgb[1:].astype(int) - [[255, 0, 0], [255, 0, 0], [0, 0, 255]]) <= 1).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_transparency_looks_as_pillow_shows_it(mode):
    image = Image.fromarray(smooth(40, 30) // 32 * 32).convert(mode)
    image.paste(image.getpixel((3, 3)), (0, 0, 20, 30))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=image.getpixel((3, 3)))
    whole = Image.open(buffer).convert("RGBA")
    white = Image.new("RGBA", whole.size, "white")
    white.alpha_composite(whole)
    np.testing.assert_array_equal(decode(buffer.getvalue()).rgb, np.asarray(white.convert("RGB")))


def test_transparency_does_not_bleed_when_shrinking():
    samples = np.full((200, 200, 1), 100, np.uint8)
    samples[:, ::2] = 0
    rgb = decode(png(8, 0, samples, chunk(b"tRNS", b"\0\0")), 50).rgb
    assert (np.abs(rgb.astype(int) - 178) <= 2).all()  # half white, half of 100: no black


@pytest.mark.parametrize("size", [0, 3, 5, 768, 900])
def test_colors_beyond_the_palette_are_black(size):
    data = png(8, 3, np.array([[[0], [200]]], np.uint8), chunk(b"PLTE", bytes([9] * size)))
    rgb = decode(data).rgb[0]
    assert rgb[0, 0] == (9 if size else 0)
    assert rgb[1].tolist() == ([9] * 3 if size >= 768 else [0] * 3)


@pytest.mark.parametrize("size", [0, 1, 256, 257])
def test_a_palette_s_opacity_of_any_length_is_read_or_passed_over(size):
    chunks = chunk(b"PLTE", bytes([9] * 768)), chunk(b"tRNS", bytes(size))
    first, last = decode(png(8, 3, np.array([[[0], [255]]], np.uint8), *chunks)).rgb[0]
    assert first[0] == (255 if 1 <= size <= 256 else 9)
    assert last[0] == (255 if size == 256 else 9)
