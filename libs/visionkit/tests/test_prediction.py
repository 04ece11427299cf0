"""The predicted peak of a decode against the one that the kernel measured."""

import io
import json
import subprocess
import sys

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image
from visionkit import codec, header

MAX_SIDE_PX = 640
CONSTANT_SHARE_BYTES = 5_000_000  # weighs less the larger a photo is; the photos here are small, to be quick

# Prints each file's peak above what was resident before it was decoded, in a process of its own for each.
MEASURE = """
import ctypes, json, re, sys
from pathlib import Path
from visionkit import codec, header, threads

def status_kib(field):
    return int(re.search(field + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

threads.limit(1)
path, tiny, max_side_px = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
small = tiny.read_bytes()
codec.decode(small, header.probe(small), max_side_px=7)  # loads what is loaded once
data = path.read_bytes()
found = header.probe(data)
ctypes.CDLL(None).malloc_trim(0)  # what the first decode left free would be used again unseen
Path("/proc/self/clear_refs").write_text("5")
before = status_kib("VmRSS")
codec.decode(data, found, max_side_px=max_side_px)
print((status_kib("VmHWM") - before) * 1024)
"""


def scene(width, height):
    noise = np.random.default_rng(0).integers(0, 256, (height // 12, width // 12, 3), np.uint8)
    return Image.fromarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


PHOTOS = {
    "jpeg": ("RGB", "JPEG", {}),
    "gray jpeg": ("L", "JPEG", {}),
    "cmyk jpeg": ("CMYK", "JPEG", {}),
    "progressive jpeg": ("RGB", "JPEG", {"progressive": True}),
    "progressive jpeg with full chroma": ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    "turned jpeg": ("RGB", "JPEG", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"}),
    "png": ("RGB", "PNG", {"compress_level": 1}),
    "gray png": ("L", "PNG", {"compress_level": 1}),
    "deep gray png": ("I;16", "PNG", {"compress_level": 1}),
    "palette png": ("P", "PNG", {"compress_level": 1}),
    "transparent png": ("RGBA", "PNG", {"compress_level": 1}),
    "lossy webp": ("RGB", "WEBP", {"method": 0}),
    "lossless webp": ("RGB", "WEBP", {"method": 0, "lossless": True, "quality": 0}),
    "transparent webp": ("RGBA", "WEBP", {"method": 0}),
    "heic": ("RGB", "HEIF", {"quality": 5}),
    "transparent heic": ("RGBA", "HEIF", {"quality": 5}),
}


def encoded(name, wh):
    pillow_heif.register_heif_opener()
    mode, kind, options = PHOTOS[name]
    image = scene(*wh)
    if mode == "RGBA":
        image.putalpha(image.getchannel("R"))
    buffer = io.BytesIO()
    (image.convert("L").convert(mode) if mode == "I;16" else image.convert(mode)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's peak is read from /proc")
@pytest.mark.parametrize("name", PHOTOS)
def test_a_decode_stays_below_its_prediction_which_is_no_more_than_half_too_high(name, tmp_path):
    data = encoded(name, (1600, 1100) if "heic" in name else (2400, 1600))  # HEIC is slow to encode
    (tmp_path / "photo").write_bytes(data)
    (tmp_path / "tiny").write_bytes(encoded(name, (48, 36)))
    command = [sys.executable, "-c", MEASURE, tmp_path / "photo", tmp_path / "tiny", str(MAX_SIDE_PX)]
    measured = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    predicted = codec.predict_peak_bytes(header.probe(data), file_bytes=len(data), max_side_px=MAX_SIDE_PX)
    assert measured <= predicted <= 1.5 * measured + CONSTANT_SHARE_BYTES


@pytest.mark.parametrize("claim", [(65000, 65000), (65500, 1), (1, 65500)])
def test_an_absurd_claim_is_priced_as_claimed(claim):
    width, height = claim
    data = encoded("progressive jpeg", (48, 36))
    lying = data.replace(b"\0\x24\0\x30", height.to_bytes(2, "big") + width.to_bytes(2, "big"), 1)
    assert codec.predict_peak_bytes(header.probe(lying), file_bytes=len(lying), max_side_px=1280) >= 3 * width * height


def test_a_larger_picture_never_costs_less():
    photo = header.probe(encoded("jpeg", (2200, 1500)))
    prices = [
        codec.predict_peak_bytes(photo, file_bytes=0, max_side_px=side) for side in (1, 320, 640, 1280, 2200, 5000)
    ]
    assert prices == sorted(prices)
