"""JPEGs of which something is lost: what is left is shown and said to be damaged; nothing left is no photo."""

import contextlib

import numpy as np
import pytest
from PIL import Image
from servicekit.errors import InvalidImage, UnsupportedFormat

from libs.visionkit.tests.jpegs import END, START, cjpeg, jpeg, restart_markers, scan_start, scene, segment
from libs.visionkit.tests.photos import decode, encoded, smooth

PHOTO = jpeg()
RESTARTED = jpeg(restart_marker_blocks=4)
RESTARTS = restart_markers(RESTARTED)


def without(data, start, end):
    return data[:start] + data[end:]


def overwritten(data, start, body):
    return data[:start] + body + data[start + len(body) :]


HALF = (scan_start(PHOTO) + len(PHOTO)) // 2
DAMAGED = {
    "the second half is missing": PHOTO[:HALF],
    "the second half is missing before the end": PHOTO[:HALF] + END,
    "the second half is zeros": PHOTO[:HALF] + bytes(len(PHOTO) - HALF),
    "the last bytes are missing": PHOTO[:-40],
    "the second half is zeros, then an end": PHOTO[:HALF] + bytes(len(PHOTO) - HALF) + END,
    "bytes in the middle are missing": without(PHOTO, HALF, HALF + 700),
    "bytes in the middle are zeros": overwritten(PHOTO, HALF, bytes(700)),
    "bytes in the middle are ones": overwritten(PHOTO, HALF, b"\xff" * 100),
    "a table in the middle": PHOTO[:HALF] + segment(0xC4, b"what?") + PHOTO[HALF:],
    "a start in the middle": PHOTO[:HALF] + START + PHOTO[HALF:],
    "an unknown marker in the middle": PHOTO[:HALF] + b"\xff\xf7" + PHOTO[HALF:],
    "a restart interval is missing": without(RESTARTED, RESTARTS[40], RESTARTS[41]),
    "eight restart intervals are missing": without(RESTARTED, RESTARTS[40], RESTARTS[48]),
    "a restart marker is missing": without(RESTARTED, RESTARTS[40], RESTARTS[40] + 2),
    "a restart marker is zeros": overwritten(RESTARTED, RESTARTS[40], b"\0\0"),
    "half of a restart interval is missing": without(RESTARTED, RESTARTS[40] - 100, RESTARTS[40]),
    "the last restart interval is missing": RESTARTED[: RESTARTS[-1]],
    "stray bytes and a restart interval missing": without(RESTARTED, RESTARTS[46], RESTARTS[47])[: RESTARTS[40]]
    + bytes(3)
    + without(RESTARTED, RESTARTS[46], RESTARTS[47])[RESTARTS[40] :],
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("max_side_px", [1000, 60])
def test_what_is_left_is_shown_and_told_to_be_damaged(data, max_side_px):
    photo = decode(data, max_side_px)
    whole = decode(PHOTO, max_side_px).rgb
    assert photo.damaged
    top = len(whole) // 6
    np.testing.assert_array_equal(photo.rgb[:top], whole[:top])


@pytest.mark.parametrize("kept", np.linspace(0.15, 0.99, 15))
@pytest.mark.parametrize("kind", [{}, {"progressive": True}, {"restart_marker_blocks": 1}])
def test_a_photo_that_broke_off_anywhere_is_damaged(kind, kept):
    data = jpeg(**kind)
    start = data.index(b"\xff\xda")
    assert decode(data[: start + int((len(data) - 2 - start) * kept)]).damaged


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_gray_and_cmyk_photos_that_broke_off_are_damaged(mode):
    data = encoded(Image.fromarray(scene()).convert(mode), "jpeg")
    assert decode(data[: len(data) * 2 // 3]).damaged


def test_a_progressive_photo_that_broke_off_between_two_scans_is_damaged():
    data = jpeg(progressive=True)
    scans = [place for place in range(len(data)) if data.startswith(b"\xff\xda", place)]
    for scan in scans[1:]:
        tables = data.rindex(b"\xff\xc4", 0, scan)
        for end in (tables, tables + 9, scan, scan + 5):
            photo = decode(data[:end])
            assert photo.damaged
            assert np.abs(photo.rgb.astype(int) - decode(data).rgb).mean() < 30  # coarse, and of the whole photo


def test_a_photo_whose_colors_never_came_is_damaged(tmp_path):
    (tmp_path / "scans").write_text("0;\n1;\n2;\n")
    data = cjpeg(scene(), "-scans", str(tmp_path / "scans"), "-sample", "1x1")
    scans = [place for place in range(len(data)) if data.startswith(b"\xff\xda", place)]
    assert not decode(data).damaged
    assert not decode(data[:-2]).damaged
    odd = bytearray(data)
    for scan in scans:
        odd[scan + 8] = 0  # as Samsung's phones end a scan header
    assert not decode(bytes(odd)).damaged
    photo = decode(data[: scans[1]])
    assert photo.damaged
    assert np.ptp(photo.rgb.astype(int), axis=2).max() <= 2  # brightness alone


@pytest.mark.parametrize("sampling", ["4x2", "2x2,2x1,1x1"])
def test_rows_missing_at_the_bottom_are_told_whatever_the_sampling(sampling):
    data = cjpeg(scene(), "-sample", sampling)
    assert not decode(data).damaged
    assert not decode(data[:-2]).damaged
    photo = decode(data[: len(data) // 2])
    assert photo.damaged
    np.testing.assert_array_equal(photo.rgb[:16], decode(data).rgb[:16])
    with pytest.raises(InvalidImage):
        decode(data[: scan_start(data) + 20])


@pytest.mark.parametrize("left", [0, 1, 2, 20, 100])
@pytest.mark.parametrize("kind", [{}, {"progressive": True}, {"restart_marker_blocks": 1}])
def test_less_than_one_row_is_nothing_to_look_at(kind, left):
    data = jpeg(scene(640, 480), **kind)
    start = data.index(b"\xff\xda")
    start += 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    for end in (b"", END):
        with pytest.raises(InvalidImage, match="not one whole row"):
            decode(data[: start + left] + end)


def test_no_damage_whatever_crashes_the_decoder():
    random = np.random.default_rng(5)
    kinds = [jpeg(smooth(64, 48), **kind) for kind in ({}, {"progressive": True}, {"restart_marker_blocks": 1})]
    kinds.append(cjpeg(smooth(64, 48), "-sample", "2x2,2x1,1x1"))
    for data in kinds:
        for _ in range(400):
            damaged = np.frombuffer(data, np.uint8).copy()
            damaged[random.integers(2, len(data), 4)] = random.integers(0, 256, 4)
            frame = damaged.tobytes().find(bytes([0, 48, 0, 64]))
            if frame < 0:  # the size was hit
                continue
            with contextlib.suppress(InvalidImage, UnsupportedFormat):
                decode(damaged.tobytes(), 64)
