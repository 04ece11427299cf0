"""JPEGs that viewers show and libjpeg warns of: nothing is lost, so nothing may be missed or said."""

import numpy as np
import pytest
from PIL import Image
from servicekit.errors import InvalidImage
from visionkit import codec, header

from libs.visionkit.tests.jpegs import (
    END,
    JFIF_END,
    START,
    app,
    exif,
    icc,
    jpeg,
    restart_markers,
    scan_start,
    scene,
    segment,
    with_segments,
)
from libs.visionkit.tests.photos import decode, encoded
from libs.visionkit.tests.test_codec_profiles import SRGB

PHOTO = jpeg()
RESTARTED = jpeg(restart_marker_blocks=4)


def changed(place, body, data=PHOTO):
    return data[:place] + body + data[place + len(body) :]


def inserted(place, body, data=PHOTO):
    return data[:place] + body + data[place:]


def stray_before_each_restart(body):
    data = RESTARTED
    for place in reversed(restart_markers(data)):
        data = inserted(place, body, data)
    return data


def without_segments(marker, data=PHOTO):
    while (place := data.find(bytes([0xFF, marker]))) >= 0:
        data = data[:place] + data[place + 2 + int.from_bytes(data[place + 2 : place + 4], "big") :]
    return data


WITHOUT_JFIF = PHOTO[:2] + PHOTO[JFIF_END:]
ODD = {
    "scan header of Samsung's phones": changed(scan_start(PHOTO) - 2, b"\0"),
    "scan header with bits": changed(scan_start(PHOTO) - 1, b"\x11"),
    "no Huffman tables, webcams": without_segments(0xC4),
    "12 zeros before the end, DJI": PHOTO[:-2] + bytes(12) + END,
    "5000 zeros before the end": PHOTO[:-2] + bytes(5000) + END,
    "some bytes before the end": PHOTO[:-2] + b"abcde" + END,
    "fill bytes before the end": PHOTO[:-2] + b"\xff" * 300 + END,
    "no end": PHOTO[:-2],
    "half an end": PHOTO[:-1],
    "zeros in place of the end": PHOTO[:-2] + bytes(10_000),
    "stray zeros between segments": inserted(PHOTO.index(b"\xff\xdb"), b"\0\0"),
    "stray text between segments": inserted(PHOTO.index(b"\xff\xdb"), b"hello\xff\0you"),
    "fill bytes between segments": inserted(PHOTO.index(b"\xff\xdb"), b"\xff" * 20_000),
    "two starts": START + PHOTO,
    "a marker that nobody knows": with_segments(segment(0xF3, b"what?")),
    "a marker without length": with_segments(b"\xff\x01\xff\xd3"),
    "a segment without a length": with_segments(b"\xff\xe5\0\0"),
    "Adobe's mark for four colors": WITHOUT_JFIF[:2] + app(14, b"Adobe\0\x64\0\0\0\0\x02") + WITHOUT_JFIF[2:],
    "Adobe's mark, unknown": WITHOUT_JFIF[:2] + app(14, b"Adobe\0\x64\0\0\0\0\xc8") + WITHOUT_JFIF[2:],
    "Adobe's mark, cut": with_segments(app(14, b"Adobe\0\x64\0\0")),
    "JFIF of a version to come": changed(JFIF_END - 9, b"\x02"),
    "JFIF, cut": START + app(0, b"JFIF\0\1") + PHOTO[JFIF_END:],
    "JFIF that claims a thumbnail": changed(JFIF_END - 2, b"\xff\xff"),
    "JFXX thumbnail that is no JPEG": with_segments(app(0, b"JFXX\0\x10\xff\xd8\xff\xff")),
    "empty profile": with_segments(icc(b"")),
    "profile, one of two pieces": with_segments(icc(SRGB, 1, 2)),
    "profile, a piece twice": with_segments(icc(SRGB, 1, 2), icc(SRGB, 1, 2)),
    "profile, a piece too many": with_segments(icc(SRGB), icc(SRGB, 2, 1)),
    "profile, piece 0": with_segments(icc(SRGB, 0, 1)),
    "profile, pieces of no profile": with_segments(icc(SRGB, 1, 0)),
    "profile, pieces the other way round": with_segments(icc(SRGB[300:], 2, 2), icc(SRGB[:300], 1, 2)),
    "profile without numbers": with_segments(app(2, b"ICC_PROFILE\0")),
    "profile in 255 pieces": with_segments(*(icc(b"x", n, 255) for n in range(1, 256))),
    "multi-picture index that is none": with_segments(app(2, b"MPF\0II*\0\xff\xff\xff\xff")),
    "Exif that is none": with_segments(exif(b"\xff\xff\xff\xff" * 100)),
    "XMP and IPTC that are none": with_segments(
        app(1, b"http://ns.adobe.com/xap/1.0/\0<x"), app(13, b"Photoshop 3.0\0\xff")
    ),
    "a comment of 64 KiB": with_segments(segment(0xFE, b"\xff" * 65533)),
    "a video after the end": PHOTO + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 200,
    "a preview after the end": PHOTO + PHOTO[:-2],
    "zeros before each restart marker": stray_before_each_restart(bytes(12)),
    "a byte before each restart marker": stray_before_each_restart(b"\x5a"),
    "fill bytes before each restart marker": stray_before_each_restart(b"\xff\xff"),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
@pytest.mark.parametrize("max_side_px", [1000, 50])
def test_every_pixel_is_shown_and_no_damage_told(data, max_side_px):
    photo = decode(data, max_side_px)
    plain = RESTARTED if restart_markers(data) else PHOTO
    np.testing.assert_array_equal(photo.rgb, decode(plain, max_side_px).rgb)
    assert not photo.damaged


def test_oddities_add_up():
    data = changed(scan_start(RESTARTED) - 2, b"\0", RESTARTED)
    data = inserted(restart_markers(data)[0], bytes(12), data)[:-2]
    photo = decode(data[:JFIF_END] + b"\0" + icc(b"") + app(14, b"Adobe\0\x64\0\0\0\0\x02") + data[JFIF_END:])
    np.testing.assert_array_equal(photo.rgb, decode(RESTARTED).rgb)
    assert not photo.damaged


@pytest.mark.parametrize("data", [data for name, data in ODD.items() if "restart" not in name])
def test_an_odd_photo_that_broke_off_is_shown_in_part_and_told_to_be_damaged(data):
    pixels = PHOTO[scan_start(PHOTO) :]
    photo = decode(data[: data.index(pixels[:100]) + len(pixels) // 2])
    assert photo.damaged
    np.testing.assert_array_equal(photo.rgb[:48], decode(PHOTO).rgb[:48])
    assert (photo.rgb[-16:] == 128).all()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_missing_end_is_no_damage_in_any_kind_of_jpeg(mode, progressive):
    data = encoded(Image.fromarray(scene()).convert(mode), "jpeg", progressive=progressive)
    photo = decode(data[:-2])
    np.testing.assert_array_equal(photo.rgb, decode(data).rgb)
    assert not photo.damaged


def test_a_rewritten_photo_is_priced_with_a_copy_of_its_file():
    plain, odd = header.probe(PHOTO), header.probe(PHOTO[:-2])
    prices = [codec.predict_peak_bytes(found, file_bytes=10_000_000, max_side_px=640) for found in (plain, odd)]
    assert prices[1] - prices[0] >= 9_900_000


def test_absurdly_many_segments_are_refused_at_once():
    with pytest.raises(InvalidImage):
        decode(START + b"\xff\xfe\0\2" * 20_000 + PHOTO[2:])
    with pytest.raises(InvalidImage):
        decode(jpeg(progressive=True)[:-2] + b"\xff\x01" * 20_000)
