"""WebP chunks: which of them decide, and what tables a lossless stream asks for."""

import io
import struct
import time

import cv2
import numpy as np
import pytest
from PIL import Image
from servicekit.errors import InvalidImage, UnsupportedFormat
from visionkit import codec, header

from bench.photos.prefix_codes import many_groups
from libs.visionkit.tests.photos import assert_close, decode, smooth


def encoded(pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", **options)
    return buffer.getvalue()


def chunks_of(data):
    position = 12
    while position < len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def riff(*chunks):
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def canvas(width, height, flags=0):
    return b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


PHOTO, OTHER = encoded(smooth(96, 64)), encoded(smooth(640, 480))
LOSSLESS = encoded(smooth(96, 64), lossless=True)
TRANSPARENT = encoded(np.dstack([smooth(96, 64), np.full((64, 96), 128, np.uint8)]))


@pytest.mark.parametrize("wh", [(64, 64), (96, 65), (16384, 16384), (1, 1)])
@pytest.mark.parametrize("photo", [PHOTO, LOSSLESS])
def test_a_canvas_of_another_size_than_its_picture_is_refused(wh, photo):
    with pytest.raises(InvalidImage, match="canvas"):
        header.probe(riff(canvas(*wh), *chunks_of(photo)))


@pytest.mark.parametrize("photo", [PHOTO, LOSSLESS])
def test_the_first_picture_is_decoded_and_counts(photo):
    for chunks in ([*chunks_of(photo), *chunks_of(OTHER)], [canvas(96, 64), *chunks_of(photo), *chunks_of(OTHER)]):
        found = header.probe(riff(*chunks))
        assert found.shown_wh == (96, 64)
        np.testing.assert_array_equal(decode(riff(*chunks)).rgb, decode(photo).rgb)


@pytest.mark.parametrize(
    "chunks",
    [
        [canvas(96, 64)],
        [canvas(96, 64), (b"ALPH", b"\0")],
        [(b"JUNK", b""), *chunks_of(PHOTO)],
        [(b"ALPH", b"\0"), *chunks_of(PHOTO)],
        [(b"ANMF", bytes(30))],
    ],
)
def test_a_file_without_a_picture_where_it_belongs_is_refused(chunks):
    with pytest.raises(InvalidImage, match="does not start with a picture"):
        header.probe(riff(*chunks))


def test_an_animation_is_not_served():
    with pytest.raises(UnsupportedFormat, match="Animated"):
        header.probe(riff(canvas(96, 64, 0x02), *chunks_of(PHOTO)))


def test_frames_of_an_animation_that_nothing_announces_change_nothing():
    data = riff(canvas(96, 64), (b"ANIM", bytes(6)), (b"ANMF", bytes(40)), *chunks_of(PHOTO))
    np.testing.assert_array_equal(decode(data).rgb, decode(PHOTO).rgb)


def test_an_alpha_plane_that_nothing_announces_is_not_shown():
    chunks = dict(chunks_of(TRANSPARENT))
    data = riff(canvas(96, 64), (b"ALPH", chunks[b"ALPH"]), (b"VP8 ", chunks[b"VP8 "]))
    assert header.probe(data).channels == 3
    assert_close(decode(data).rgb, decode(riff((b"VP8 ", chunks[b"VP8 "]))).rgb, 0)


def test_an_announced_alpha_plane_that_is_missing_is_opaque():
    data = riff(canvas(96, 64, 0x10), *chunks_of(PHOTO))
    assert header.probe(data).channels == 4
    assert_close(decode(data).rgb, decode(PHOTO).rgb, 2)


@pytest.mark.parametrize("flags", [0, 0x10])
def test_a_lossless_picture_tells_of_its_alpha_itself(flags):
    data = riff(canvas(96, 64, flags), *chunks_of(LOSSLESS))
    assert header.probe(data).channels == 3
    assert_close(decode(data).rgb, decode(LOSSLESS).rgb, 0)


@pytest.mark.parametrize("size", [1_000, 5_000_000])
def test_profiles_and_exif_of_any_size_are_passed_over_or_read(size):
    tiff = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0" + bytes(size)
    data = riff(canvas(96, 64, 0x28), (b"ICCP", bytes(size)), *chunks_of(PHOTO), (b"EXIF", tiff))
    assert header.probe(data).orientation == 6
    assert decode(data).rgb.shape == (96, 64, 3)


@pytest.mark.parametrize("groups", [1, 2, 100, 256])
def test_groups_of_prefix_codes_are_counted(groups):
    data = many_groups(64, groups)
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None
    assert header.probe(data).side_bytes // 12_000 == groups


def test_a_small_file_of_many_prefix_codes_is_priced_by_its_tables():
    data = many_groups(1024)
    assert len(data) < 300_000
    started = time.process_time()
    found = header.probe(data)
    assert time.process_time() - started < 2
    assert codec.predict_peak_bytes(found, file_bytes=len(data), max_side_px=1280) > 400e6  # it takes 380 MB


def test_prefix_codes_of_an_alpha_plane_are_counted_too():
    stream = dict(chunks_of(many_groups(256)))[b"VP8L"][5:]
    alpha = b"ALPH", b"\1" + stream
    data = riff(canvas(256, 256, 0x10), alpha, *chunks_of(encoded(smooth(256, 256))))
    assert header.probe(data).side_bytes >= 4096 * 12_000


@pytest.mark.parametrize("wh", [(1, 1), (7, 3), (300, 200), (1000, 700)])
@pytest.mark.parametrize("colors", [2, 4, 16, 200, 1 << 24])
@pytest.mark.parametrize("method", [0, 4, 6])
def test_the_tables_of_an_encoder_s_streams_are_few(wh, colors, method):
    pixels = smooth(*wh)
    if colors <= 256:
        pixels = np.asarray(Image.fromarray(pixels).quantize(colors).convert("RGB"))
    found = header.probe(encoded(pixels, lossless=True, method=method))
    assert found.side_bytes < 2_000_000


@pytest.mark.parametrize("kept", [26, 30, 40, 100])
def test_a_lossless_stream_that_ends_in_its_tables_is_refused(kept):
    whole = dict(chunks_of(encoded(np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8), lossless=True)))
    data = riff((b"VP8L", whole[b"VP8L"][: kept - 20]))
    with pytest.raises(InvalidImage):
        decode(data)
