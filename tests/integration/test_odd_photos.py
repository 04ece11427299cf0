"""Photos as phones, drones, webcams and editors leave them, to the real services: shown right, and damage told."""

import struct

import httpx
import numpy as np
import pytest
from climbmate_client import Client, GrpcClient
from PIL import Image, ImageCms, ImageDraw

from libs.visionkit.tests.jpegs import END, app, cjpeg, exif, icc, restart_markers, scan_start, with_segments
from libs.visionkit.tests.photos import encoded

WIDE, TALL = (640, 480), (480, 640)


def wall():
    photo = Image.new("RGB", WIDE, (210, 205, 195))
    draw = ImageDraw.Draw(photo)
    for number, color in enumerate(["red", "blue", "green", "yellow", "purple", "orange", "red", "blue"]):
        x, y = 60 + number % 4 * 150, 80 + number // 4 * 220
        draw.ellipse((x, y, x + 60, y + 45), fill=color)
    return photo


def jpeg(**options):
    return encoded(wall(), "jpeg", quality=85, subsampling="4:2:0", **options)


def oriented(value, tag=0x112):
    return exif(b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, tag, 3, 1, value, 0, 0))


def with_space(space):
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = space
    return bytes(profile)


PHOTO = jpeg()
SCAN, TABLE = scan_start(PHOTO), PHOTO.index(b"\xff\xdb")
RESTARTED = jpeg(restart_marker_blocks=16)
RESTART = restart_markers(RESTARTED)[0]
SPACE = with_space(b"\x90\xab\xc5\xe2")
PHOTOS = {
    "Samsung's scan header": (PHOTO[: SCAN - 2] + b"\0" + PHOTO[SCAN - 1 :], WIDE),
    "DJI's zeros before the end": (PHOTO[:-2] + bytes(12) + END, WIDE),
    "webcams' bytes before a restart": (RESTARTED[:RESTART] + bytes(12) + RESTARTED[RESTART:], WIDE),
    "stray bytes between segments": (PHOTO[:TABLE] + b"\0\0" + PHOTO[TABLE:], WIDE),
    "no end": (PHOTO[:-2], WIDE),
    "empty profile": (with_segments(icc(b""), data=PHOTO), WIDE),
    "half a profile": (with_segments(icc(SPACE, 1, 2), data=PHOTO), WIDE),
    "Adobe's mark for four colors": (PHOTO[:2] + app(14, b"Adobe\0\x64\0\0\0\0\x02") + PHOTO[20:], WIDE),
    "a profile of a space that is no text": (jpeg(icc_profile=SPACE), WIDE),
    "such a profile in a PNG": (encoded(wall(), "png", icc_profile=SPACE), WIDE),
    "such a profile in a WebP": (encoded(wall(), "lossless webp", icc_profile=SPACE), WIDE),
    "such a profile in a HEIC": (encoded(wall(), "heic", icc_profile=SPACE), WIDE),
    "Exif twice, 6 then 1": (with_segments(oriented(6), oriented(1), data=PHOTO), TALL),
    "Exif twice, 6 then none": (with_segments(oriented(6), oriented(1, 0x10F), data=PHOTO), TALL),
}


@pytest.fixture(scope="module")
def http(stack):
    with httpx.Client(base_url=stack.url, timeout=30, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(("photo", "wh"), PHOTOS.values(), ids=PHOTOS)
def test_an_odd_photo_is_shown_upright_and_whole(http, photo, wh):
    response = http.post("/api/analyze", content=photo, headers={"content-type": "image/jpeg"})
    assert response.status_code == 200
    answer = response.json()
    assert answer["image"] == {"width": wh[0], "height": wh[1]}
    assert answer["degraded"] == []


@pytest.mark.parametrize("sampling", ["4x2", "2x2,2x1,1x1"])
def test_a_photo_is_shown_whatever_its_sampling(http, sampling):
    photo = cjpeg(np.asarray(wall()), "-sample", sampling)
    answer = http.post("/api/analyze", content=photo, headers={"content-type": "image/jpeg"}).json()
    assert (answer["image"], answer["degraded"]) == ({"width": 640, "height": 480}, [])


BROKEN_OFF = PHOTO[: SCAN + (len(PHOTO) - SCAN) * 2 // 3]


def test_damage_is_told_over_http_and_grpc_at_once_and_step_by_step(stack):
    with Client(stack.url) as client:
        assert client.analyze(BROKEN_OFF).degraded == ("damaged",)
        assert list(client.stream(BROKEN_OFF))[-1].degraded == ("damaged",)
    with GrpcClient(stack.grpc_target) as client:
        assert client.analyze(BROKEN_OFF).degraded == ("damaged",)
        assert list(client.stream(BROKEN_OFF))[-1].degraded == ("damaged",)


def test_of_a_photo_without_one_whole_row_there_is_nothing_to_tell(http):
    response = http.post("/api/analyze", content=PHOTO[: SCAN + 30], headers={"content-type": "image/jpeg"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_IMAGE")
