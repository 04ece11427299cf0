"""Which way up a photo is shown: as Pillow and libvips show it, whatever stands in its metadata."""

import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from visionkit import header

from libs.visionkit.tests.jpegs import app, cjpeg, exif, jpeg, scene, shown_by_libvips, shown_by_pillow, with_segments
from libs.visionkit.tests.photos import assert_close, chunk, decode, encoded, smooth

ORIENTATION = 0x112
BYTE, ASCII, SHORT, LONG, UNDEFINED, SSHORT, SLONG, FLOAT = 1, 2, 3, 4, 7, 8, 9, 11
UPRIGHT, TURNED = (160, 120), (120, 160)


def short(value, order="<"):
    return struct.pack(order + "H", value)


def long(value, order="<"):
    return struct.pack(order + "I", value)


def tiff(*entries, order="<", start=8):
    """A TIFF block with one directory; an entry is tag, type, count and four bytes."""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", start)
    body = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries)
    return mark + bytes(start - 8) + struct.pack(order + "H", len(entries)) + body + bytes(4)


def oriented(value, kind=SHORT, count=1):
    return tiff((ORIENTATION, kind, count, value))


SIX, ONE = oriented(short(6)), oriented(short(1))
XMP = b'http://ns.adobe.com/xap/1.0/\0<rdf:Description xmlns:tiff="t" tiff:Orientation="6"/>'
BLOCKS = {
    "6": ([SIX], TURNED),
    "big-endian": ([tiff((ORIENTATION, SHORT, 1, short(6, ">")), order=">")], TURNED),
    "as a LONG": ([oriented(long(6), LONG)], TURNED),
    "as a big-endian LONG": ([tiff((ORIENTATION, LONG, 1, long(6, ">")), order=">")], TURNED),
    "as an SSHORT": ([oriented(short(6), SSHORT)], TURNED),
    "as an SLONG": ([oriented(long(6), SLONG)], TURNED),
    "as undefined bytes": ([oriented(b"\6", UNDEFINED)], UPRIGHT),
    "as text": ([oriented(b"6\0", ASCII, 2)], UPRIGHT),
    "twice in the entry": ([oriented(short(6) + short(1), count=2)], TURNED),
    "count 0": ([oriented(short(6), count=0)], UPRIGHT),
    "count too large": ([oriented(short(6), count=0xFFFFFFFF)], UPRIGHT),
    "somewhere else": ([oriented(long(40), count=3) + short(6) * 3], UPRIGHT),
    "0": ([oriented(short(0))], UPRIGHT),
    "9": ([oriented(short(9))], UPRIGHT),
    "262, whose low byte is 6": ([oriented(short(262))], UPRIGHT),
    "-6": ([oriented(struct.pack("<h", -6), SSHORT)], UPRIGHT),
    "no directory at all": ([tiff()], UPRIGHT),
    "the tag twice, 6 first": ([tiff((ORIENTATION, SHORT, 1, short(6)), (ORIENTATION, SHORT, 1, short(1)))], TURNED),
    "the tag twice, 1 first": ([tiff((ORIENTATION, SHORT, 1, short(1)), (ORIENTATION, SHORT, 1, short(6)))], UPRIGHT),
    "the directory at an odd place": ([tiff((ORIENTATION, SHORT, 1, short(6)), start=13)], TURNED),
    "the directory at the start": ([b"II*\0" + long(0) + SIX[8:]], UPRIGHT),
    "the directory at the end": ([b"II*\0" + long(0xFFFFFFFF) + SIX[8:]], UPRIGHT),
    "more entries claimed": ([SIX[:8] + short(500) + SIX[10:]], TURNED),
    "BigTIFF": ([b"II+\0" + struct.pack("<HHQQHHQQ", 8, 0, 16, 1, ORIENTATION, SHORT, 1, 6)], UPRIGHT),
    "no TIFF": ([b"hello"], UPRIGHT),
    "nothing": ([b""], UPRIGHT),
    "6, then 1": ([SIX, ONE], TURNED),
    "6, then none": ([SIX, tiff((0x10F, SHORT, 1, short(1)))], TURNED),
    "none, then 6": ([tiff((0x10F, SHORT, 1, short(1))), SIX], UPRIGHT),
    "garbage, then 6": ([b"garbage", SIX], UPRIGHT),
    "in the directory of the thumbnail": ([tiff()[:-4] + long(14) + SIX[8:]], UPRIGHT),
}


@pytest.mark.parametrize(("blocks", "wh"), BLOCKS.values(), ids=BLOCKS)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # Pillow's, about what is broken
def test_a_jpeg_is_shown_as_pillow_and_libvips_show_it(blocks, wh):
    data = with_segments(*map(exif, blocks))
    assert header.probe(data).shown_wh == wh
    rgb = decode(data).rgb
    assert_close(rgb, shown_by_pillow(data), 0)
    assert_close(rgb, shown_by_libvips(data), 3)


# Where the two differ, what the photo's maker meant.
DIFFERENT = {
    "a BYTE, as libvips": ([oriented(b"\6", BYTE)], TURNED),
    "a float, as libvips": ([oriented(struct.pack("<f", 6), FLOAT)], UPRIGHT),
    "a block longer than a segment, as Pillow": ([SIX[:15], SIX[15:]], TURNED),
    "the directory in the third segment, as Pillow": (
        [b"II*\0" + long(125_008) + bytes(60_000), bytes(65_000), SIX[8:]],
        TURNED,
    ),
    "an empty segment first, as Pillow": ([b"", SIX], TURNED),
    "the prefix twice, as Pillow": ([b"Exif\0\0" + SIX], TURNED),
}


@pytest.mark.parametrize(("blocks", "wh"), DIFFERENT.values(), ids=DIFFERENT)
def test_where_pillow_and_libvips_differ_the_meaning_counts(blocks, wh):
    assert header.probe(with_segments(*map(exif, blocks))).shown_wh == wh


def test_an_orientation_in_xmp_alone_is_passed_over_as_in_browsers_and_libvips():
    data = with_segments(app(1, XMP))
    assert header.probe(data).shown_wh == UPRIGHT
    assert shown_by_libvips(data).shape[1::-1] == UPRIGHT


def test_exif_may_stand_after_the_tables():
    data = jpeg()
    scan = data.index(b"\xff\xda")
    assert header.probe(data[:scan] + exif(SIX) + data[scan:]).shown_wh == TURNED


@pytest.mark.parametrize("count", [50, 250])
def test_megabytes_of_exif_are_read_in_no_time(count):
    data = with_segments(exif(SIX), *([exif(b"\xff" * 65_000)] * count))
    started = time.perf_counter()
    assert header.probe(data).shown_wh == TURNED
    assert time.perf_counter() - started < 0.2


def test_a_prefix_that_never_ends_takes_no_time():
    data = with_segments(*[exif(b"Exif\0\0" * 10_000)] * 16)
    started = time.perf_counter()
    assert header.probe(data).shown_wh == UPRIGHT
    assert time.perf_counter() - started < 0.2


def raw_profile(block, kind=b"zTXt"):
    lines = b"\nexif\n%8d\n" % len(block) + b"\n".join(
        block.hex().encode()[start : start + 72] for start in range(0, 2 * len(block), 72)
    )
    return chunk(
        kind, b"Raw profile type exif\0" + (b"\0" + zlib.compress(lines) if kind == b"zTXt" else lines + b"\n")
    )


PNG = encoded(Image.fromarray(smooth(160, 120)), "png")
PNG_CHUNKS = {
    "eXIf": ([chunk(b"eXIf", SIX)], TURNED),
    "eXIf with a prefix": ([chunk(b"eXIf", b"Exif\0\0" + SIX)], TURNED),
    "packed text": ([raw_profile(b"Exif\0\0" + SIX)], TURNED),
    "plain text": ([raw_profile(b"Exif\0\0" + SIX, b"tEXt")], TURNED),
    "eXIf counts before text": ([raw_profile(SIX), chunk(b"eXIf", ONE)], UPRIGHT),
    "other text": ([chunk(b"tEXt", b"Orientation\0006")], UPRIGHT),
}
BROKEN_PNG_CHUNKS = {
    "text that is no hex": chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  8\nhello"),
    "text without lines": chunk(b"tEXt", b"Raw profile type exif\0"),
    "text that does not unpack": chunk(b"zTXt", b"Raw profile type exif\0\0hello"),
    "text that unpacks to much": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(50_000_000))),
    "eXIf that is none": chunk(b"eXIf", b"\xff" * 1000),
}


@pytest.mark.parametrize(("chunks", "wh"), PNG_CHUNKS.values(), ids=PNG_CHUNKS)
def test_a_png_is_shown_as_pillow_shows_it(chunks, wh):
    data = PNG[:33] + b"".join(chunks) + PNG[33:]
    assert header.probe(data).shown_wh == wh
    assert_close(decode(data).rgb, shown_by_pillow(data), 0)


@pytest.mark.parametrize("broken", BROKEN_PNG_CHUNKS.values(), ids=BROKEN_PNG_CHUNKS)
def test_broken_metadata_does_not_cost_a_png(broken):
    started = time.perf_counter()
    assert header.probe(PNG[:33] + broken * 50 + PNG[33:]).shown_wh == UPRIGHT
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_a_webp_is_shown_as_pillow_and_libvips_show_it(orientation, prefix):
    data = encoded(Image.fromarray(smooth(40, 30)), "lossless webp", exif=prefix + oriented(short(orientation)))
    rgb = decode(data).rgb
    assert_close(rgb, shown_by_pillow(data), 0)
    assert_close(rgb, shown_by_libvips(data), 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("options", [[], ["-progressive"], ["-restart", "1"], ["-grayscale"]], ids=str)
@pytest.mark.parametrize("sampling", ["1x1", "2x1", "1x2", "2x2", "4x1", "4x2"])
def test_every_orientation_of_every_kind_of_jpeg_is_shown_as_by_pillow_and_libvips(orientation, options, sampling):
    data = cjpeg(scene(83, 61), "-sample", sampling, *options)
    data = with_segments(exif(oriented(short(orientation))), data=data)
    photo = decode(data)
    assert_close(photo.rgb, shown_by_pillow(data), 0)
    assert_close(photo.rgb, shown_by_libvips(data), 3)
    assert photo.shown_wh == photo.rgb.shape[1::-1]
    assert np.ptp(decode(data, 40).rgb.astype(int)) > 60


def test_changed_bytes_of_exif_never_fail_a_photo_nor_take_time():
    random = np.random.default_rng(3)
    block = Image.Exif()
    block[ORIENTATION], block[0x10F], block[0x132] = 6, "a camera", "2026:01:01 00:00:00"
    tags = np.frombuffer(block.tobytes().removeprefix(b"Exif\0\0"), np.uint8)
    started = time.perf_counter()
    photo = jpeg()
    for _ in range(5000):
        changed = tags.copy()
        changed[random.integers(0, len(tags), 3)] = random.integers(0, 256, 3)
        assert header.probe(with_segments(exif(changed.tobytes()), data=photo)).orientation in range(1, 9)
    assert time.perf_counter() - started < 10
