"""What of a HEIC file is decoded, and what never reaches the decoder."""

import io
import struct
import time
import tracemalloc

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from servicekit.errors import ImageTooLarge, InvalidImage, UnsupportedFormat
from visionkit import codec, header
from visionkit.container import heic_primary

from bench.photos import heif
from bench.photos.encode import half_transparent, heic
from libs.visionkit.tests.photos import assert_close, decode, smooth

WH, TILE = (96, 64), (64, 64)


def part(wh=WH, *properties, gray=False, **options):
    pixels = smooth(*wh)
    found = heif.coded(heic(pixels[..., 0] if gray else pixels, **options))
    found.properties += properties
    return found


def grid(wh, tiles, *properties, rows=1):
    found = heif.grid(rows, len(tiles) // rows, wh, tiles)
    found.properties += properties
    return found


def as_pillow_heif_shows_it(data):
    image = pillow_heif.open_heif(data).to_pillow().convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return np.asarray(white.convert("RGB"))


KINDS = {
    "plain": (part(),),
    "no whole blocks": (part((75, 41)),),
    "cropped": (part(WH, heif.crop(50, 30)),),
    "cropped oddly": (part(WH, heif.crop(51, 33)),),
    "cropped off the middle": (part(WH, (b"clap", struct.pack(">IIIIiIiI", 40, 1, 20, 1, -7, 2, 5, 1))),),
    "turned": (part(WH, heif.turn(1)),),
    "turned around": (part(WH, heif.turn(2)),),
    "mirrored": (part(WH, (b"imir", b"\1")),),
    "turned and cropped": (part(WH, heif.turn(3), heif.crop(40, 60)),),
    "cropped and turned": (part(WH, heif.crop(60, 40), heif.turn(3)),),
    "tiles": (grid((180, 120), [2, 3, 3, 2, 2, 3], rows=2), part(TILE), part(TILE, gray=False)),
    "tiles, turned": (grid((128, 64), [2, 2], heif.turn(1)), part(TILE)),
    "layers": (heif.overlay((120, 80), [2, 3]), part(WH), part(TILE)),
    "again": (heif.derived(2, WH), part()),
    "again, turned and cropped": (heif.derived(2, (64, 96), heif.crop(50, 60)), part(WH, heif.turn(1))),
    "tiles again": (heif.derived(2, (128, 64)), grid((128, 64), [3, 3]), part(TILE)),
    "alpha": (part(), heif.auxiliary(part(gray=True), heif.ALPHA, 1)),
    "small alpha": (part(), heif.auxiliary(part(TILE, gray=True), heif.ALPHA, 1)),
    "alpha in color": (part(), heif.auxiliary(part(), heif.ALPHA, 1)),
    "tiles with alpha": (grid((128, 64), [2, 2]), part(TILE), heif.auxiliary(part(TILE, gray=True), heif.ALPHA, 2)),
    "alpha of tiles": (
        grid((128, 64), [2, 2]),
        part(TILE),
        heif.auxiliary(grid((128, 64), [4, 4]), heif.ALPHA, 1),
        part(TILE, gray=True),
    ),
    "gray": (part(gray=True),),
    "gray tiles": (grid((128, 64), [2, 2]), part(TILE, gray=True)),
    "deep": (part(deep=True),),
    "full chroma": (part(chroma=444),),
    "4:2:2": (part(chroma=422),),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("pictures_first", [False, True])
def test_a_photo_is_shown_as_its_decoder_shows_the_whole_file(name, pictures_first):
    data = heif.file_of(*KINDS[name], pictures_first=pictures_first)
    shown = as_pillow_heif_shows_it(data)
    photo = decode(data)
    assert photo.shown_wh == shown.shape[1::-1]
    assert_close(photo.rgb, shown, 2)


@pytest.mark.parametrize(
    ("parts", "decoded_pixels"),
    [
        ((part(),), 96 * 64),
        ((part(WH, heif.crop(8, 8)),), 96 * 64),
        ((grid((128, 64), [2, 2]), part(TILE)), 2 * 64 * 64),
        ((grid((8, 8), [2]), part()), 96 * 64),
        ((heif.overlay((8, 8), [2, 3]), part(), part(TILE)), 96 * 64 + 64 * 64),
        ((heif.derived(2, (8, 8)), part(WH, heif.crop(8, 8))), 96 * 64),
        ((part(TILE), heif.auxiliary(part(gray=True), heif.ALPHA, 1)), 64 * 64 + 96 * 64),
    ],
)
def test_all_that_is_decoded_counts_not_only_what_is_shown(parts, decoded_pixels):
    found = header.probe(heif.file_of(*parts))
    assert found.decoded_pixels == decoded_pixels
    assert sum(plane.pixels for plane in found.planes) >= max(96 * 64 if len(parts) < 3 else 0, 64 * 64)
    with pytest.raises(ImageTooLarge, match="pixels"):
        header.ensure_within(found, decoded_pixels - 1)
    header.ensure_within(found, decoded_pixels)


def test_a_thousand_tiles_that_are_one_are_counted_a_thousand_times():
    found = header.probe(heif.file_of(grid((64, 64), [2] * 1024, rows=32), part(TILE)))
    assert found.decoded_pixels == 1024 * 64 * 64


def test_thumbnails_depth_maps_other_pictures_and_metadata_never_reach_the_decoder():
    plain, other = part(), part(TILE)
    thumbnail, depth = part(TILE), heif.auxiliary(part(TILE, gray=True), heif.DEPTH, 1)
    thumbnail.references[b"thmb"] = [1]
    metadata = heif.Part(b"Exif", bytes(5000), [], {b"cdsc": [1]})
    whole = heif.file_of(plain, thumbnail, depth, other, metadata)
    assert heic_primary.extract(whole) == heic_primary.extract(heif.file_of(plain))
    assert header.probe(whole) == header.probe(heif.file_of(plain))


def test_a_sequence_beside_the_photo_is_left_out():
    data = heif.file_of(part()) + struct.pack(">I4s", 8 + 5000, b"moov") + bytes(5000)
    assert heic_primary.extract(data) == heic_primary.extract(heif.file_of(part()))


def test_a_file_of_a_sequence_only_has_no_photo():
    data = struct.pack(">I4s4s4x4s", 20, b"ftyp", b"heic", b"heic") + struct.pack(">I4s", 8, b"moov")
    with pytest.raises(UnsupportedFormat, match="no still picture"):
        header.probe(data)


def test_a_profile_of_20_mb_is_passed_over():
    data = heif.file_of(part(WH, (b"colr", b"prof" + bytes(20_000_000))))
    assert len(heic_primary.extract(data)) < 5000
    assert decode(data).shown_wh == WH


def test_the_extracted_file_is_extracted_to_itself():
    once = heic_primary.extract(heif.file_of(*KINDS["tiles with alpha"]))
    assert heic_primary.extract(once) == once


@pytest.mark.parametrize("kind", [b"av01", b"unci", b"jpeg", b"j2k1", b"avc1", b"vvc1", b"mski", b"lhv1", b"tmap"])
def test_other_codecs_are_not_served_wherever_they_hide(kind):
    other = part(TILE)
    other.kind = kind
    for parts in ((other,), (grid((64, 64), [2]), other), (part(), heif.auxiliary(other, heif.ALPHA, 1))):
        with pytest.raises(UnsupportedFormat):
            header.probe(heif.file_of(*parts))


@pytest.mark.parametrize("first", [heif.derived(1, WH), grid((64, 64), [1]), heif.overlay((64, 64), [1])])
def test_a_picture_that_is_made_of_itself_is_refused(first):
    with pytest.raises((UnsupportedFormat, InvalidImage)):
        header.probe(heif.file_of(first))


def test_a_chain_of_pictures_made_of_pictures_is_refused_when_it_is_long():
    chain = [heif.derived(n, WH) for n in range(2, 12)]
    with pytest.raises(UnsupportedFormat, match="too many"):
        header.probe(heif.file_of(*chain, part()))


def test_a_picture_whose_alpha_has_itself_for_alpha_is_refused():
    color, alpha = part(), heif.auxiliary(part(gray=True), heif.ALPHA, 1)
    alpha.references[b"auxl"] = [1, 2]
    with pytest.raises(UnsupportedFormat, match="too many"):
        header.probe(heif.file_of(color, alpha))


def test_a_tile_that_lies_about_its_size_is_found_out_before_it_is_decoded():
    liar = part((640, 480))
    liar.properties = [heif.size(*TILE) if name == b"ispe" else (name, body) for name, body in liar.properties]
    data = heif.file_of(liar)
    found = header.probe(data)
    assert found.shown_wh == (640, 480)
    assert found.decoded_pixels == 640 * 480
    with pytest.raises(InvalidImage, match="not of the size"):
        codec.decode(data, found, max_side_px=1000)


@pytest.mark.parametrize("units", [2, 100])
def test_several_pictures_in_one_item_are_a_video(units):
    video = part()
    video.data *= units
    data = heif.file_of(video)
    with pytest.raises(UnsupportedFormat, match="video"):
        decode(data)


def unit(kind, body):
    return struct.pack(">IBB", len(body) + 2, kind << 1, 1) + body


def test_parameter_sets_beside_the_picture_are_left_out():
    honest, sneaky = part(), part()
    sneaky.data = unit(33, bytes(200)) + unit(34, bytes(50)) + unit(39, bytes(300)) + honest.data
    assert heic_primary.extract(heif.file_of(sneaky)) == heic_primary.extract(heif.file_of(honest))


@pytest.mark.parametrize("kind", [0, 1, 8, 16, 18, 21, 31])
def test_a_picture_that_refers_to_others_is_not_served(kind):
    dependent = part()
    dependent.data = dependent.data[:4] + bytes([kind << 1]) + dependent.data[5:]
    with pytest.raises(UnsupportedFormat, match="video"):
        decode(heif.file_of(dependent))


def test_a_configuration_with_two_parameter_sets_of_a_kind_is_not_served():
    doubled = part()
    for place, (name, body) in enumerate(doubled.properties):
        if name == b"hvcC":
            arrays = body[23:]
            doubled.properties[place] = name, body[:22] + bytes([2 * body[22]]) + arrays + arrays
    with pytest.raises(UnsupportedFormat, match="parameter sets"):
        header.probe(heif.file_of(doubled))


def test_a_picture_among_the_parameter_sets_is_refused():
    sneaky = part()
    (place, body), *_ = [(n, body) for n, (name, body) in enumerate(sneaky.properties) if name == b"hvcC"]
    picture = sneaky.data[4:]
    array = bytes([picture[0] >> 1 & 0x3F]) + struct.pack(">HH", 1, len(picture)) + picture
    sneaky.properties[place] = b"hvcC", body[:22] + bytes([body[22] + 1]) + body[23:] + array
    with pytest.raises(InvalidImage, match="parameter set"):
        header.probe(heif.file_of(sneaky))


def test_a_million_empty_units_are_refused_at_once():
    crowded = part()
    crowded.data += unit(38, b"\0") * 1_000_000
    data = heif.file_of(crowded)
    started = time.process_time()
    with pytest.raises(InvalidImage, match="thousands"):
        decode(data)
    assert time.process_time() - started < 0.5


def test_a_profile_for_each_of_many_tiles_is_refused():
    tiles = [part(TILE, (b"colr", b"prof" + bytes([n]) * 200_000)) for n in range(10)]
    with pytest.raises(InvalidImage, match="too many properties"):
        decode(heif.file_of(grid((640, 64), range(2, 12)), *tiles))


def test_parts_that_overlap_do_not_multiply_the_file():
    tiles = [part(TILE) for _ in range(100)]
    data = heif.file_of(grid((640, 640), range(2, 102), rows=10), *tiles)
    place = data.index(b"iloc") + 8 + 4
    entries = [struct.unpack_from(">HHHII", data, place + 14 * n) for n in range(101)]
    largest = entries[1][3], len(data) - entries[1][3]  # all that follows
    overlapping = bytearray(data)
    for n in range(1, 101):
        struct.pack_into(">HHHII", overlapping, place + 14 * n, n + 1, 0, 1, *largest)
    with pytest.raises(InvalidImage, match="overlap"):
        decode(bytes(overlapping))


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["plain", "tiles", "layers", "alpha"])
def test_a_truncated_file_is_refused_by_its_header(name, kept):
    data = heif.file_of(*KINDS[name])
    with pytest.raises(InvalidImage, match=r"truncated|damaged|no iinf|no still"):
        header.probe(data[: int(len(data) * kept)])


@pytest.mark.parametrize("box", [b"infe", b"free"])
def test_a_hundred_thousand_boxes_are_refused_at_once(box):
    many = struct.pack(">I4s4x", 12, box) * 100_000
    tables = struct.pack(">I4s4xH", 14 + len(many), b"iinf", 1) + many
    data = (
        struct.pack(">I4s4s4x4s", 20, b"ftyp", b"heic", b"heic")
        + struct.pack(">I4s4x", 12 + len(tables), b"meta")
        + tables
    )
    started = time.process_time()
    with pytest.raises(InvalidImage):
        header.probe(data)
    assert time.process_time() - started < 0.5


def test_a_photo_of_200_megapixels_in_tiles_is_priced_by_its_canvas():
    found = header.probe(heif.file_of(grid((16320, 12240), [2] * (32 * 24), rows=24), part((512, 512))))
    assert found.shown_wh == (16320, 12240)
    price = codec.predict_peak_bytes(found, file_bytes=1000, max_side_px=1280)
    assert 4 * 200e6 < price < 6.5 * 200e6


def test_reading_the_largest_tables_that_are_read_takes_little_memory():
    """Nothing is reserved for a header."""
    most = [heif.derived(n % 1900 + 2, WH) for n in range(1990)]
    for first in most:
        first.properties *= 4
        first.references[b"cdsc"] = range(1, 5)
    data = heif.file_of(*most, part())
    tracemalloc.start()
    with pytest.raises(UnsupportedFormat, match="too many"):
        header.probe(data)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 3_000_000


def test_alpha_lies_on_white_through_every_way_to_store_it():
    pixels = half_transparent(np.zeros((64, 96, 3), np.uint8))
    rgb = decode(heic(pixels)).rgb
    assert_close(rgb, np.full(rgb.shape, 127), 2)


def test_what_pillow_heif_writes_is_read_in_all_its_modes():
    pillow_heif.register_heif_opener()
    for mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        buffer = io.BytesIO()
        Image.fromarray(smooth(*WH)[..., 0]).convert(mode).save(buffer, "HEIF", quality=95, tile_size=64)
        assert decode(buffer.getvalue()).shown_wh == WH
