"""The predicted peak of JPEGs that are not decoded as they came, against the one that the kernel measured."""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from visionkit import codec, header

from libs.visionkit.tests.jpegs import app, cjpeg, icc, with_segments
from libs.visionkit.tests.photos import encoded
from libs.visionkit.tests.test_codec_profiles import icc_profile, s15_fixed16
from libs.visionkit.tests.test_prediction import CONSTANT_SHARE_BYTES, MAX_SIDE_PX, MEASURE, scene

TINY_WH, WH = (48, 36), (3000, 2000)


def lut8(inputs, steps):
    noise = np.random.default_rng(0).integers(0, 256, steps**inputs * 3, np.uint8).tobytes()
    head = struct.pack(">4s4xBBBx", b"mft1", inputs, 3, steps) + s15_fixed16(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return head + bytes(range(256)) * inputs + noise + bytes(range(256)) * 3


def pixels(wh):
    return np.asarray(scene(*wh).convert("RGB"))


def plain(wh, **options):
    return encoded(scene(*wh).convert("RGB"), "jpeg", subsampling=2, **options)


def for_printing(wh):
    profile = icc_profile(b"CMYK", {b"A2B0": lut8(4, 26)}, kind=b"prtr", connection=b"Lab ")
    return encoded(Image.fromarray(pixels(wh)).convert("CMYK"), "jpeg", icc_profile=profile)


def chatty(data, start):
    """The photo with 16 MB of segments that its decoder would keep."""
    pieces = [icc(bytes(65_000), number, 250) for number in range(1, 251)] if start == "icc" else None
    return with_segments(*(pieces or [app(2, b"MPF\0" + bytes(65_000))] * 250), data=data)


PHOTOS = {
    "odd sampling": lambda wh: cjpeg(pixels(wh), "-sample", "4x2"),
    "odd sampling, progressive": lambda wh: cjpeg(pixels(wh), "-sample", "2x2,2x1,1x1", "-progressive"),
    "odd sampling of inks": lambda wh: encoded(scene(*wh).convert("CMYK"), "jpeg", subsampling=2),
    "no end": lambda wh: plain(wh)[:-2],
    "broke off": lambda wh: plain(wh)[: len(plain(wh)) * 2 // 3],
    "broke off, progressive": lambda wh: plain(wh, progressive=True)[: len(plain(wh)) * 2 // 3],
    "printer's profile": for_printing,
    "16 MB of profile": lambda wh: chatty(plain(wh), "icc"),
    "16 MB of previews": lambda wh: chatty(plain(wh), "mpf"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's peak is read from /proc")
@pytest.mark.parametrize("name", PHOTOS)
def test_a_decode_stays_below_its_prediction(name, tmp_path):
    data = PHOTOS[name](WH)
    (tmp_path / "photo").write_bytes(data)
    (tmp_path / "tiny").write_bytes(PHOTOS[name](TINY_WH) if "16 MB" not in name else plain(TINY_WH))
    command = [sys.executable, "-c", MEASURE, tmp_path / "photo", tmp_path / "tiny", str(MAX_SIDE_PX)]
    measured = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    predicted = codec.predict_peak_bytes(header.probe(data), file_bytes=len(data), max_side_px=MAX_SIDE_PX)
    assert measured <= predicted
    assert "16 MB" in name or predicted <= 1.5 * measured + CONSTANT_SHARE_BYTES
