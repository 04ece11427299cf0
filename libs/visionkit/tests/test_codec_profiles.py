import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from libs.visionkit.tests.photos import assert_close, decode, encoded, smooth


def s15_fixed16(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def icc_profile(space, tags, *, kind=b"mntr", connection=b"XYZ "):
    """An ICC version 4 profile of the given tags (name to body)."""
    described = {b"desc": mluc("test profile"), b"cprt": mluc("none"), b"wtpt": xyz(0.9642, 1.0, 0.8249), **tags}
    offset, table, bodies = 132 + 12 * len(described), struct.pack(">I", len(described)), b""
    for name, body in described.items():
        table += name + struct.pack(">II", offset + len(bodies), len(body))
        bodies += body + b"\0" * (-len(body) % 4)
    head = struct.pack(">I4sI4s4s4s12x4s28x", offset + len(bodies), b"", 0x04200000, kind, space, connection, b"acsp")
    return (head + s15_fixed16(0.9642, 1.0, 0.8249)).ljust(128, b"\0") + table + bodies


def mluc(text):
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", 2 * len(text), 28) + text.encode("utf-16-be")


def xyz(*values):
    return b"XYZ \0\0\0\0" + s15_fixed16(*values)


SRGB_CURVE = struct.pack(">4s4xHH", b"para", 3, 0) + s15_fixed16(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
LINEAR_CURVE = struct.pack(">4s4xI", b"curv", 0)
DISPLAY_P3 = icc_profile(
    b"RGB ",
    {
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        **dict.fromkeys([b"rTRC", b"gTRC", b"bTRC"], SRGB_CURVE),
    },
)
LINEAR_GRAY = icc_profile(b"GRAY", {b"kTRC": LINEAR_CURVE})
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def lab_table(light_of_inks):
    """A lut8 from CMYK to gray Lab with two steps an ink."""
    identity = s15_fixed16(1, 0, 0, 0, 1, 0, 0, 0, 1)
    ramp = bytes(range(256))
    inks = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    grid = b"".join(bytes([round(255 * light_of_inks(*ink)), 128, 128]) for ink in inks)
    return struct.pack(">4s4xBBBx", b"mft1", 4, 3, 2) + identity + ramp * 4 + grid + ramp * 3


PRINTER = icc_profile(
    b"CMYK", {b"A2B0": lab_table(lambda c, m, y, k: (1 - k) * (1 - (c + m + y) / 3))}, kind=b"prtr", connection=b"Lab "
)


@pytest.mark.parametrize("encoding", ["jpeg", "png", "lossless webp", "heic"])
def test_display_p3_becomes_srgb(encoding):
    in_p3 = Image.new("RGB", (64, 48), (234, 51, 35))  # what pure sRGB red is in Display P3
    rgb = decode(encoded(in_p3, encoding, icc_profile=DISPLAY_P3), 32).rgb
    assert_close(rgb, np.broadcast_to((255, 0, 0), rgb.shape), 6)


@pytest.mark.parametrize("encoding", ["jpeg", "png", "lossless webp"])
@pytest.mark.parametrize("profile", [SRGB, b"no profile at all", LINEAR_GRAY, DISPLAY_P3[:200]])
def test_an_srgb_damaged_or_mismatched_profile_changes_nothing(encoding, profile):
    pixels = smooth(40, 30)
    with_profile = decode(encoded(Image.fromarray(pixels), encoding, icc_profile=profile)).rgb
    without = decode(encoded(Image.fromarray(pixels), encoding)).rgb
    np.testing.assert_array_equal(with_profile, without)


@pytest.mark.parametrize("encoding", ["jpeg", "png"])
def test_a_gray_profile_is_honored(encoding):
    gray = Image.new("L", (16, 16), 55)
    more = {"subsampling": 0} if encoding == "jpeg" else {}
    rgb = decode(encoded(gray, encoding, icc_profile=LINEAR_GRAY, **more)).rgb
    assert_close(rgb, np.full(rgb.shape, 128), 2)  # 55/255 of the light is 128 on sRGB's curve


def test_a_printer_s_profile_is_honored():
    half_black = Image.new("CMYK", (16, 16), (0, 0, 0, 128))
    rgb = decode(encoded(half_black, "jpeg", icc_profile=PRINTER)).rgb
    assert_close(rgb, np.full(rgb.shape, 119), 3)  # lightness 50 of 100


def test_a_profile_in_several_segments_is_joined():
    padded = DISPLAY_P3 + b"\0" * 70_000
    padded = struct.pack(">I", len(padded)) + padded[4:]
    rgb = decode(encoded(Image.new("RGB", (16, 16), (234, 51, 35)), "jpeg", icc_profile=padded)).rgb
    assert_close(rgb, np.broadcast_to((255, 0, 0), rgb.shape), 6)
