import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from servicekit.errors import InvalidImage, UnsupportedFormat
from visionkit import codec, header

from libs.visionkit.tests.photos import ENCODINGS, chunk, decode, encoded, smooth


@pytest.mark.parametrize("encoding", [encoding for encoding in ENCODINGS if "jpeg" not in encoding])
@pytest.mark.parametrize("kept", [0.3, 0.5, 0.9, 0.999])
def test_a_truncated_photo_of_another_format_than_jpeg_is_refused_instead_of_shown_in_part(encoding, kept):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    data = encoded(Image.fromarray(noise), encoding)
    with pytest.raises(InvalidImage, match=r"truncated|damaged|ends before"):
        decode(data[: int(len(data) * kept)])


def test_a_truncated_heic_of_tiles_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    data = encoded(Image.fromarray(noise), "heic", tile_size=64)
    decode(data)
    with pytest.raises(InvalidImage, match="truncated"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("encoding", ["jpeg", "png", "lossless webp"])
def test_a_damaged_photo_never_crashes_the_decoder(encoding):
    random = np.random.default_rng(4)
    data = np.frombuffer(encoded(Image.fromarray(smooth(64, 48)), encoding), np.uint8)
    for _ in range(300):
        damaged = data.copy()
        damaged[random.integers(0, len(data), 3)] = random.integers(0, 256, 3)
        try:
            found = header.probe(damaged.tobytes())
            if found.pixels < 1_000_000:
                codec.decode(damaged.tobytes(), found, max_side_px=64)
        except (InvalidImage, UnsupportedFormat):
            pass


def test_a_flipped_bit_in_a_png_is_noticed():
    data = bytearray(encoded(Image.fromarray(smooth(64, 48)), "png"))
    data[data.index(b"IDAT") + 60] ^= 1
    with pytest.raises(InvalidImage, match="checksum"):
        decode(bytes(data))


@pytest.mark.parametrize(
    ("encoding", "claim"),
    [
        *[("png", claim) for claim in [(100, 100), (200, 80), (3000, 2000), (10, 10)]],
        *[("lossless webp", claim) for claim in [(200, 80), (3000, 2000)]],
    ],
)
def test_a_header_that_lies_about_the_size_is_found_out(encoding, claim):
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3), np.uint8)), encoding)
    width, height = claim
    if encoding == "png":
        body = struct.pack(">II", width, height) + data[24:29]
        lying = data[:8] + chunk(b"IHDR", body) + data[33:]
    else:
        bits = int.from_bytes(data[21:25], "little") >> 28 << 28 | (height - 1) << 14 | (width - 1)
        lying = data[:21] + bits.to_bytes(4, "little") + data[25:]
    with pytest.raises(InvalidImage):
        decode(lying)


def test_a_jpeg_that_claims_more_rows_than_it_has_is_damaged():
    data = encoded(Image.fromarray(smooth(120, 80)), "jpeg")
    photo = decode(data.replace(struct.pack(">HH", 80, 120), struct.pack(">HH", 400, 120), 1))
    assert photo.damaged
    assert (photo.rgb[-300:] == 128).all()


def test_another_photo_s_header_is_noticed():
    small, large = (encoded(Image.fromarray(smooth(side, side)), "png") for side in (40, 60))
    with pytest.raises(InvalidImage, match="not of the size"):
        codec.decode(small, header.probe(large), max_side_px=100)


def test_twelve_bit_jpegs_are_not_served():
    data = encoded(Image.fromarray(smooth(32, 32)), "jpeg")
    frame = data.index(b"\xff\xc0") + 4
    with pytest.raises(UnsupportedFormat, match="12 bits"):
        decode(data[:frame] + b"\x0c" + data[frame + 1 :])


def test_a_jpeg_of_endless_scans_is_refused_before_it_costs_time():
    data = encoded(Image.fromarray(smooth(64, 64)), "progressive jpeg")
    last = data.rindex(b"\xff\xda")
    with pytest.raises(InvalidImage, match="more than 64 scans"):
        decode(data[:last] + data[last:-2] * 100 + b"\xff\xd9")


def test_what_follows_the_end_of_a_jpeg_does_not_matter():
    data = encoded(Image.fromarray(smooth(64, 64)), "progressive jpeg")
    np.testing.assert_array_equal(decode(data + b"\xff\xda" * 1000).rgb, decode(data).rgb)


def test_packed_text_in_a_png_is_never_unpacked():
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 50_000_000))
    pixels = smooth(20, 10)
    data = encoded(Image.fromarray(pixels), "png")
    np.testing.assert_array_equal(decode(data[:33] + bomb * 100 + data[33:]).rgb, pixels)


def test_an_interlaced_png_comes_out_whole():
    rows = [[(7 * x + 3 * y) % 256 for x in range(8)] for y in range(8)]
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    packed = b"".join(b"\0" + bytes(rows[y][x0::dx]) for x0, y0, dx, dy in passes for y in range(y0, 8, dy))
    start = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    parts = chunk(b"IHDR", start) + chunk(b"IDAT", zlib.compress(packed)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(decode(b"\x89PNG\r\n\x1a\n" + parts).rgb[..., 0], rows)
