"""JPEG files taken apart and put together wrongly, as phones, drones, webcams and editors do."""

import io
import shutil
import struct
import subprocess
from itertools import pairwise

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image, ImageOps

from libs.visionkit.tests.photos import encoded

WIDTH, HEIGHT = 160, 120
START, END = b"\xff\xd8", b"\xff\xd9"
JFIF_END = 20  # of what Pillow writes


def scene(width=WIDTH, height=HEIGHT):
    """(H, W, 3) colors that differ everywhere, without anything that a JPEG loses."""
    noise = np.random.default_rng(7).integers(0, 256, (-(-height // 16), -(-width // 16), 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def jpeg(pixels=None, **options):
    return encoded(Image.fromarray(scene() if pixels is None else pixels), "jpeg", **options)


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def app(number, body):
    return segment(0xE0 + number, body)


def icc(body, number=1, of=1):
    return app(2, b"ICC_PROFILE\0" + bytes([number, of]) + body)


def exif(tiff):
    return app(1, b"Exif\0\0" + tiff)


def with_segments(*segments, data=None):
    """The photo with more segments after its JFIF header."""
    data = jpeg() if data is None else data
    return data[:JFIF_END] + b"".join(segments) + data[JFIF_END:]


def scan_start(data):
    """Where the pixels of the last scan begin."""
    start = data.rindex(b"\xff\xda")
    return start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")


def restart_markers(data):
    start = scan_start(data)
    return [start + i for i, pair in enumerate(pairwise(data[start:])) if pair[0] == 0xFF and 0xD0 <= pair[1] <= 0xD7]


def cjpeg(pixels, *options):
    """What libjpeg's own encoder makes of them, which knows options that Pillow hides."""
    if shutil.which("cjpeg") is None:
        pytest.skip("cjpeg is missing: apt-get install libjpeg-turbo-progs")
    photo = b"P6 %d %d 255\n" % pixels.shape[1::-1] + pixels.tobytes()
    return subprocess.run(["cjpeg", "-quality", "95", *options], input=photo, capture_output=True, check=True).stdout


def shown_by_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def shown_by_libvips(data):
    image = pyvips.Image.new_from_buffer(data, "").autorot()
    return image.colourspace("srgb")[:3].numpy()
