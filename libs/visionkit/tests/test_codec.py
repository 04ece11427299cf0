import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from libs.visionkit.tests.photos import ENCODINGS, LOSSLESS, assert_close, chunk, decode, encoded, png, smooth


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("wh", [(1, 1), (1, 40), (40, 1), (37, 23)])
def test_a_small_photo_keeps_its_size_and_colors(encoding, wh):
    pixels = smooth(*wh)
    photo = decode(encoded(Image.fromarray(pixels), encoding))
    assert photo.shown_wh == wh
    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.flags.c_contiguous
    assert_close(photo.rgb, pixels, 0 if encoding in LOSSLESS else 12)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("wh", "expected"),
    [((400, 300), (128, 96)), ((300, 400), (96, 128)), ((129, 17), (128, 17)), ((1000, 168), (128, 22))],
)
def test_a_large_photo_is_shrunk_to_the_longer_side_asked_for(encoding, wh, expected):
    photo = decode(encoded(Image.fromarray(smooth(*wh)), encoding), 128)
    assert photo.shown_wh == wh
    assert photo.rgb.shape == (expected[1], expected[0], 3)
    wanted = cv2.resize(smooth(*wh), expected, interpolation=cv2.INTER_AREA)
    assert np.abs(photo.rgb.astype(int) - wanted).mean() < 4


@pytest.mark.parametrize("max_side_px", [1, 2, 7, 50, 99, 100, 101])
def test_any_side_can_be_asked_for(max_side_px):
    photo = decode(encoded(Image.fromarray(smooth(100, 60)), "jpeg"), max_side_px)
    assert max(photo.rgb.shape[:2]) == min(100, max_side_px)


def test_black_stays_black():
    assert not decode(encoded(Image.new("RGB", (64, 64)), "jpeg")).rgb.any()


@pytest.mark.parametrize("encoding", ["jpeg", "png", "lossless webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(encoding, orientation):
    upright = smooth(80, 48)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(stored)), encoding, exif=exif.tobytes())
    photo = decode(data)
    assert photo.shown_wh == (80, 48)
    assert photo.rgb.flags.c_contiguous
    assert_close(photo.rgb, upright, 6)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_is_turned_once_and_not_twice(orientation):
    stored = Image.fromarray(smooth(80, 48))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.info["exif"] = exif.tobytes()
    photo = decode(encoded(stored, "heic"))
    turned = np.rot90(smooth(80, 48), {1: 0, 3: 2, 6: -1, 8: 1}[orientation])
    assert photo.shown_wh == (turned.shape[1], turned.shape[0])
    assert_close(photo.rgb, turned, 8)


@pytest.mark.parametrize("encoding", ["jpeg", "progressive jpeg", "png", "heic"])
def test_gray_comes_out_as_three_equal_channels(encoding):
    gray = smooth(60, 40)[..., 0]
    photo = decode(encoded(Image.fromarray(gray), encoding, **({"subsampling": 0} if "jpeg" in encoding else {})))
    assert_close(photo.rgb, np.dstack([gray] * 3), 4)


@pytest.mark.parametrize("max_side_px", [1000, 30])
def test_cmyk_jpegs_come_out_in_their_colors(max_side_px):
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (120, 130, 40)]
    for color in colors:
        data = encoded(Image.new("RGB", (64, 40), color).convert("CMYK"), "jpeg")
        rgb = decode(data, max_side_px).rgb
        assert_close(rgb, np.broadcast_to(color, rgb.shape), 3)


def test_ycck_jpegs_come_out_in_their_colors():
    inks = np.zeros((32, 32, 4), np.uint8)
    inks[...] = (35, 125, 215, 255)  # Adobe stores light, not ink: this is the color itself
    data = encoded(Image.fromarray(255 - inks, "CMYK"), "jpeg")
    adobe = data.index(b"Adobe")
    components = np.frombuffer(data, np.uint8).copy()
    components[adobe + 11] = 2  # the transform flag: the first three components are YCbCr
    rgb = decode(components.tobytes()).rgb
    y, cb, cr = 35, 125 - 128, 215 - 128
    cmy = [y + 1.402 * cr, y - 0.344 * cb - 0.714 * cr, y + 1.772 * cb]
    assert_close(rgb, np.broadcast_to(np.clip(np.rint(255 - np.array(cmy)), 0, 255), rgb.shape), 4)


@pytest.mark.parametrize(
    ("depth", "kind", "samples", "expected"),
    [
        (16, 0, [[[0], [257], [32768], [65535]]], [[0] * 3, [1] * 3, [128] * 3, [255] * 3]),
        (16, 2, [[[0, 32768, 65535], [65535, 257, 0]]], [[0, 128, 255], [255, 1, 0]]),
        (16, 4, [[[0, 65535], [0, 0]]], [[0] * 3, [255] * 3]),
        (16, 6, [[[65535, 0, 0, 65535], [65535, 0, 0, 0]]], [[255, 0, 0], [255, 255, 255]]),
    ],
)
def test_sixteen_bits_scale_to_eight(depth, kind, samples, expected):
    rgb = decode(png(depth, kind, np.array(samples, ">u2"))).rgb
    assert_close(rgb[0], np.array(expected), 1)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_of_gray_reach_from_black_to_white(depth):
    width, levels = 8 // depth, 2**depth
    steps = [*range(min(width, levels) - 1), levels - 1]
    steps += [0] * (width - len(steps))
    packed = sum(step << (8 - depth * (place + 1)) for place, step in enumerate(steps))
    start = struct.pack(">IIBBBBB", width, 1, depth, 0, 0, 0, 0)
    body = chunk(b"IHDR", start) + chunk(b"IDAT", zlib.compress(bytes([0, packed]))) + chunk(b"IEND", b"")
    rgb = decode(b"\x89PNG\r\n\x1a\n" + body).rgb
    np.testing.assert_array_equal(rgb[0, :, 0], [round(step * 255 / (levels - 1)) for step in steps])


def test_a_palette_is_looked_up():
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 200, 100, 50, 0, 255, 0])
    np.testing.assert_array_equal(
        decode(encoded(image, "png")).rgb, [[[10, 20, 30], [200, 100, 50]], [[0, 255, 0], [200, 100, 50]]]
    )


def test_a_palette_with_transparency_lies_on_white():
    indices = np.array([[[0], [1]]], np.uint8)
    chunks = chunk(b"PLTE", bytes([10, 20, 30, 200, 100, 50])), chunk(b"tRNS", b"\0")
    np.testing.assert_array_equal(decode(png(8, 3, indices, *chunks)).rgb, [[[255] * 3, [200, 100, 50]]])


@pytest.mark.parametrize(("depth", "dtype", "full"), [(8, ">u1", 255), (16, ">u2", 65535)])
def test_a_color_key_is_read_or_ignored_but_never_fails(depth, dtype, full):
    samples = np.array([[[full, 0, 0], [0, full, 0]]], dtype)
    rgb = decode(png(depth, 2, samples, chunk(b"tRNS", struct.pack(">HHH", full, 0, 0)))).rgb
    np.testing.assert_array_equal(rgb[0, 1], [0, 255, 0])


@pytest.mark.parametrize("encoding", ["png", "lossless webp", "lossy webp", "heic"])
@pytest.mark.parametrize(("alpha", "red"), [(0, 255), (128, 228), (255, 200)])
def test_transparent_photos_lie_on_white(encoding, alpha, red):
    image = Image.new("RGBA", (40, 30), (200, 200, 200, alpha))
    rgb = decode(encoded(image, encoding)).rgb
    assert_close(rgb, np.full(rgb.shape, red), 3)


def test_colors_hidden_by_transparency_do_not_bleed_when_shrinking():
    pixels = np.zeros((200, 200, 4), np.uint8)
    pixels[:, ::2] = (255, 255, 255, 255)  # white stripes between fully transparent black ones
    for encoding in LOSSLESS:
        assert (
            decode(
                encoded(Image.fromarray(pixels), encoding, **({"exact": True} if "webp" in encoding else {})), 50
            ).rgb.min()
            == 255
        )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_decoding_twice_gives_the_same_pixels(encoding):
    data = encoded(Image.fromarray(smooth(300, 200)), encoding)
    np.testing.assert_array_equal(decode(data, 77).rgb, decode(data, 77).rgb)


def test_the_bytes_of_two_photos_are_not_shared():
    data = encoded(Image.fromarray(smooth(30, 20)), "jpeg")
    first, second = decode(data).rgb, decode(data).rgb
    first[...] = 0
    assert second.any()
