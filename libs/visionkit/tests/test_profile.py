"""No byte of a color profile fails a photo, takes memory that nobody reserved, or much time."""

import json
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from visionkit import color
from visionkit.pixels.raster import Raster

from libs.visionkit.tests.jpegs import app, icc, jpeg, with_segments
from libs.visionkit.tests.photos import assert_close, decode, encoded, smooth
from libs.visionkit.tests.test_codec_profiles import (
    DISPLAY_P3,
    LINEAR_CURVE,
    LINEAR_GRAY,
    PRINTER,
    SRGB,
    icc_profile,
    xyz,
)

PRIMARIES = {b"rXYZ": xyz(0.4, 0.2, 0.1), b"gXYZ": xyz(0.3, 0.7, 0.1), b"bXYZ": xyz(0.2, 0.1, 0.7)}
CURVES = dict.fromkeys([b"rTRC", b"gTRC", b"bTRC"], LINEAR_CURVE)


def overwritten(place, body, profile=DISPLAY_P3):
    return profile[:place] + body + profile[place + len(body) :]


def program(steps):
    """A tag that runs the same matrix `steps` times for each pixel (ICC.1:2010, 10.16)."""
    matrix = struct.pack(">4s4xHH12f", b"matf", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1e-4)
    table = struct.pack(">II", 16 + 8 * steps, len(matrix)) * steps
    return struct.pack(">4s4xHHI", b"mpet", 3, 3, steps) + table + matrix


PASSED_OVER = {
    "space that is no ASCII": overwritten(16, b"\x90\xab\xc5\xe2"),
    "space of nothing known": overwritten(16, b"XXXX"),
    "Lab": overwritten(16, b"Lab "),
    "gray": LINEAR_GRAY,
    "of a printer": PRINTER,
    "cut in its header": DISPLAY_P3[:100],
    "cut in its table": DISPLAY_P3[:150],
    "cut in its tags": DISPLAY_P3[:-100],
    "without colors": icc_profile(b"RGB ", {}),
    "one color missing": icc_profile(b"RGB ", {**CURVES, b"rXYZ": xyz(1, 1, 1)}),
    "a curve that is none": icc_profile(b"RGB ", {**PRIMARIES, **CURVES, b"rTRC": b"what"}),
    "a table that is too short": icc_profile(b"RGB ", {b"A2B0": struct.pack(">4s4xBBBx", b"mft2", 3, 3, 255)}),
    "a table of too many channels": icc_profile(b"RGB ", {b"A2B0": struct.pack(">4s4xBBBx", b"mft1", 15, 15, 99)}),
    "four billion tags": overwritten(128, b"\xff\xff\xff\xff"),
    "a connection space of nothing known": overwritten(20, b"\0\0\0\0"),
    "larger than a camera's": DISPLAY_P3 + bytes(300_000),
    "a long program": icc_profile(b"RGB ", {**PRIMARIES, **CURVES, b"D2B0": program(4000)}),
    "nothing": b"",
    "zeros": bytes(500),
    "text": b"no profile at all" * 20,
}


@pytest.mark.parametrize("encoding", ["jpeg", "png", "lossless webp", "heic"])
@pytest.mark.parametrize("profile", PASSED_OVER.values(), ids=PASSED_OVER)
def test_a_profile_that_cannot_be_used_is_as_none(encoding, profile):
    image = Image.fromarray(smooth(40, 30))
    started = time.perf_counter()
    with_profile = decode(encoded(image, encoding, **({"icc_profile": profile} if profile else {}))).rgb
    assert time.perf_counter() - started < 1
    np.testing.assert_array_equal(with_profile, decode(encoded(image, encoding)).rgb)


@pytest.mark.parametrize("profile", [SRGB, DISPLAY_P3, LINEAR_GRAY], ids=["sRGB", "P3", "gray"])
def test_inks_are_shown_without_a_profile_of_other_channels(profile):
    inks = Image.fromarray(smooth(40, 30)).convert("CMYK")
    with_profile = decode(encoded(inks, "jpeg", icc_profile=profile)).rgb
    np.testing.assert_array_equal(with_profile, decode(encoded(inks, "jpeg")).rgb)


def test_pieces_in_any_order_make_the_profile():
    padded = DISPLAY_P3 + bytes(1000)
    padded = struct.pack(">I", len(padded)) + padded[4:]
    pieces = [icc(padded[n * 400 : (n + 1) * 400], n + 1, 4) for n in range(4)]
    photo = jpeg(np.full((16, 16, 3), (234, 51, 35), np.uint8))
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        rgb = decode(with_segments(*(pieces[n] for n in order), app(2, b"MPF\0"), data=photo)).rgb
        assert_close(rgb, np.broadcast_to((255, 0, 0), rgb.shape), 6)


def test_a_profile_named_srgb_in_either_version_s_way_changes_nothing():
    name = b"sRGB IEC61966-2.1\0"
    old = icc_profile(b"RGB ", {**PRIMARIES, **CURVES, b"desc": struct.pack(">4s4xI", b"desc", len(name)) + name})
    image = Image.fromarray(smooth(40, 30))
    for profile in (SRGB, old):
        np.testing.assert_array_equal(decode(encoded(image, "png", icc_profile=profile)).rgb, smooth(40, 30))


# Prints by how much many changed profiles raise the peak of a process in which sound ones were used before.
FUZZ = """
import json, re, sys
from pathlib import Path
import numpy as np
from libs.visionkit.tests.test_profile import CHANGED, changed, convert

def status_kib(field):
    return int(re.search(field + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

for name in CHANGED:
    profile, _ = CHANGED[name]
    convert(name, profile), convert(name, bytes(9))
Path("/proc/self/clear_refs").write_text("5")
before = status_kib("VmRSS")
random = np.random.default_rng(11)
for name, (profile, rounds) in CHANGED.items():
    for _ in range(rounds):
        convert(name, changed(random, profile))
print(json.dumps((status_kib("VmHWM") - before) * 1024))
"""
PIXELS = {"rgb": (70, 64, 3), "gray": (70, 64), "cmyk": (70, 64, 4)}
CHANGED = {"rgb": (DISPLAY_P3, 3000), "gray": (LINEAR_GRAY, 3000), "cmyk": (PRINTER, 200)}
FIGURES = (0, 1, 255, 256, 65535, 2**31 - 1, 2**32 - 1)


def convert(space, profile):
    rgb = color.to_srgb(Raster(np.full(PIXELS[space], 90, np.uint8), space, profile))
    assert rgb.shape == (70, 64, 3)


def changed(random, profile):
    """A copy with bytes, figures, cuts and repetitions where there were none."""
    copy = bytearray(profile)
    for kind, place in zip(random.integers(0, 5, 3), random.integers(0, len(profile), 3), strict=True):
        if kind == 0:
            copy[place : place + 1] = random.bytes(1)
        elif kind == 1:
            copy[place : place + 4] = random.bytes(4)
        elif kind == 2:
            copy[place : place + 4] = struct.pack(">I", FIGURES[random.integers(len(FIGURES))])
        elif kind == 3:
            del copy[place : place + 30]
        else:
            copy[place:place] = copy[max(0, place - 40) : place]
    return bytes(copy)


def test_thousands_of_changed_profiles_take_neither_memory_nor_time():
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", FUZZ], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) < 5_000_000  # 2 to 3.5 MB, nearly all of which the allocator keeps
    assert time.perf_counter() - started < 60
