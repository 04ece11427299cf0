"""Every sampling that libjpeg decodes comes out in its colors, at every scale, and no other is taken for one."""

import cv2
import numpy as np
import pytest
from PIL import Image
from servicekit.errors import UnsupportedFormat
from visionkit import header

from libs.visionkit.tests.jpegs import app, cjpeg, jpeg, scene, shown_by_libvips, shown_by_pillow
from libs.visionkit.tests.photos import assert_close, decode, encoded, smooth

SAMPLINGS = [
    *("1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2", "2x4", "3x1", "1x3", "3x2", "2x3"),
    *("2x2,2x1,1x1", "2x2,1x2,1x1", "2x2,1x2,2x1", "2x2,2x1,2x1", "2x2,2x2,1x1", "2x1,2x1,1x1", "1x2,1x2,1x1"),
    *("1x1,2x2,2x2", "1x1,2x1,1x1", "2x1,1x2,1x1", "2x1,2x1,2x1", "4x1,2x1,1x1", "3x1,1x1,1x1"),
]


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("options", [[], ["-progressive"], ["-restart", "1"]], ids=str)
def test_the_pixels_are_those_of_pillow_and_libvips(sampling, options):
    data = cjpeg(smooth(211, 157), "-sample", sampling, *options)
    photo = decode(data)
    assert_close(photo.rgb, shown_by_pillow(data), 0)
    assert_close(photo.rgb, shown_by_libvips(data), 3)  # another build of libjpeg rounds differently
    assert not photo.damaged


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("max_side_px", [1, 26, 27, 53, 54, 100, 106, 210])
def test_it_can_be_shrunk_while_it_is_decoded(sampling, max_side_px):
    photo = decode(cjpeg(smooth(211, 157), "-sample", sampling), max_side_px)
    assert max(photo.rgb.shape[:2]) == max_side_px
    wanted = cv2.resize(smooth(211, 157), photo.rgb.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(photo.rgb.astype(int) - wanted).mean() < 8  # what a block averages differs a little


@pytest.mark.parametrize("wh", [(1, 1), (1, 70), (70, 1), (15, 9), (17, 33)])
@pytest.mark.parametrize("sampling", ["4x2", "3x1", "2x2,2x1,1x1"])
def test_the_smallest_photos_are_no_exception(wh, sampling):
    data = cjpeg(smooth(*wh), "-sample", sampling)
    for max_side_px in (1, 8, 1000):
        assert max(decode(data, max_side_px).rgb.shape[:2]) == min(max(wh), max_side_px)


def with_sampling(data, *factors):
    """The same JPEG with other claims about its sampling."""
    frame = data.index(b"\xff\xc0") + 11
    changed = bytearray(data)
    for number, factor in enumerate(factors):
        changed[frame + 3 * number] = factor
    return bytes(changed)


@pytest.mark.parametrize("factors", [(0x21, 0x31, 0x11), (0x32, 0x21, 0x11), (0x41, 0x31, 0x11), (0x13, 0x12, 0x11)])
def test_samplings_that_libjpeg_does_not_decode_are_named_as_such(factors):
    with pytest.raises(UnsupportedFormat, match="samples"):
        header.probe(with_sampling(jpeg(), *factors))


@pytest.mark.parametrize("subsampling", ["4:2:2", "4:2:0"])
@pytest.mark.parametrize("transform", [0, 2])
def test_inks_may_be_sampled_like_colors(subsampling, transform):
    data = bytearray(encoded(Image.fromarray(smooth(211, 157)).convert("CMYK"), "jpeg", subsampling=subsampling))
    data[data.index(b"Adobe") + 11] = transform
    assert_close(decode(bytes(data)).rgb, shown_by_pillow(bytes(data)), 2)
    assert decode(bytes(data), 100).rgb.shape == (74, 100, 3)


@pytest.mark.parametrize("transform", [None, 0, 1])
def test_rgb_jpegs_are_told_by_their_marks(transform):
    colors = np.zeros((32, 48, 3), np.uint8)
    colors[:, :16], colors[:, 16:32], colors[:, 32:] = (200, 40, 30), (20, 180, 90), (30, 60, 210)
    data = cjpeg(colors, "-rgb")
    assert b"Adobe" in data
    adobe = data.index(b"Adobe") - 4
    marks = b"" if transform is None else app(14, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))
    changed = data[:adobe] + marks + data[adobe + 16 :]
    assert_close(decode(changed).rgb, shown_by_pillow(changed), 1)
    assert_close(decode(changed).rgb, shown_by_libvips(changed), 3)
    assert_close(decode(changed[:-2]).rgb, decode(changed).rgb, 0)  # rewritten, it keeps its marks


@pytest.mark.parametrize("transform", [0, 1, 2, 9])
def test_four_components_are_inks_or_light_and_ink_by_adobe_s_mark(transform):
    data = bytearray(encoded(Image.fromarray(scene()).convert("CMYK"), "jpeg", subsampling=0))
    data[data.index(b"Adobe") + 11] = transform
    rgb = decode(bytes(data)).rgb
    assert_close(rgb, shown_by_pillow(bytes(data)), 2)
    assert_close(decode(bytes(data[:-2])).rgb, rgb, 0)


@pytest.mark.parametrize("options", [["-arithmetic"], ["-arithmetic", "-progressive"]], ids=str)
def test_what_no_phone_writes_is_named_as_such(options):
    with pytest.raises(UnsupportedFormat, match="arithmetic"):
        decode(cjpeg(scene(), *options))


def test_two_components_are_named_as_such():
    data = jpeg()
    frame = data.index(b"\xff\xc0")
    two = data[: frame + 2] + b"\0\x0e\x08\0\x78\0\xa0\2\1\x11\0\2\x11\1" + data[frame + 19 :]
    with pytest.raises(UnsupportedFormat, match="2 components"):
        header.probe(two)
