import io
import struct
import zlib

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms
from servicekit.errors import InvalidImage, UnsupportedFormat
from visionkit import codec, header

ENCODINGS = {
    "jpeg": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
    "progressive jpeg": ("JPEG", {"quality": 95, "subsampling": "4:4:4", "progressive": True}),
    "png": ("PNG", {}),
    "lossy webp": ("WEBP", {"quality": 95}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "heic": ("HEIF", {"quality": 95, "chroma": 444}),
}
LOSSLESS = ["png", "lossless webp"]


def decode(data, max_side_px=1000):
    return codec.decode(data, header.probe(data), max_side_px=max_side_px)


def encoded(image, encoding, **more):
    pillow_heif.register_heif_opener()
    kind, options = ENCODINGS[encoding]
    buffer = io.BytesIO()
    image.save(buffer, kind, **{**options, **more})
    return buffer.getvalue()


def smooth(width, height):
    """(H, W, 3) gentle gradients: red to the right, green downward, blue against both."""
    x, y = np.meshgrid(np.linspace(20, 235, width), np.linspace(20, 235, height))
    return np.dstack([x, y, 255 - (x + y) / 2]).astype(np.uint8)


def assert_close(got, expected, tolerance):
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected).max() <= tolerance


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(depth, kind, rows, *chunks):
    """A PNG of (H, W, C) samples, big-endian already where they have 16 bits."""
    start = struct.pack(">IIBBBBB", rows.shape[1], len(rows), depth, kind, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = [chunk(b"IHDR", start), *chunks, chunk(b"IDAT", packed), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("wh", [(1, 1), (1, 40), (40, 1), (37, 23)])
def test_a_small_photo_keeps_its_size_and_colors(encoding, wh):
    pixels = smooth(*wh)
    photo = decode(encoded(Image.fromarray(pixels), encoding))
    assert photo.shown_wh == wh
    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.flags.c_contiguous
    assert_close(photo.rgb, pixels, 0 if encoding in LOSSLESS else 12)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("wh", "expected"),
    [((400, 300), (128, 96)), ((300, 400), (96, 128)), ((129, 17), (128, 17)), ((1000, 168), (128, 22))],
)
def test_a_large_photo_is_shrunk_to_the_longer_side_asked_for(encoding, wh, expected):
    photo = decode(encoded(Image.fromarray(smooth(*wh)), encoding), 128)
    assert photo.shown_wh == wh
    assert photo.rgb.shape == (expected[1], expected[0], 3)
    wanted = cv2.resize(smooth(*wh), expected, interpolation=cv2.INTER_AREA)
    assert np.abs(photo.rgb.astype(int) - wanted).mean() < 4


@pytest.mark.parametrize("max_side_px", [1, 2, 7, 50, 99, 100, 101])
def test_any_side_can_be_asked_for(max_side_px):
    photo = decode(encoded(Image.fromarray(smooth(100, 60)), "jpeg"), max_side_px)
    assert max(photo.rgb.shape[:2]) == min(100, max_side_px)


def test_black_stays_black():
    assert not decode(encoded(Image.new("RGB", (64, 64)), "jpeg")).rgb.any()


@pytest.mark.parametrize("encoding", ["jpeg", "png", "lossless webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(encoding, orientation):
    upright = smooth(80, 48)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(stored)), encoding, exif=exif.tobytes())
    photo = decode(data)
    assert photo.shown_wh == (80, 48)
    assert photo.rgb.flags.c_contiguous
    assert_close(photo.rgb, upright, 6)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_is_turned_once_and_not_twice(orientation):
    stored = Image.fromarray(smooth(80, 48))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.info["exif"] = exif.tobytes()
    photo = decode(encoded(stored, "heic"))
    turned = np.rot90(smooth(80, 48), {1: 0, 3: 2, 6: -1, 8: 1}[orientation])
    assert photo.shown_wh == (turned.shape[1], turned.shape[0])
    assert_close(photo.rgb, turned, 8)


@pytest.mark.parametrize("encoding", ["jpeg", "progressive jpeg", "png", "heic"])
def test_gray_comes_out_as_three_equal_channels(encoding):
    gray = smooth(60, 40)[..., 0]
    photo = decode(encoded(Image.fromarray(gray), encoding, **({"subsampling": 0} if "jpeg" in encoding else {})))
    assert_close(photo.rgb, np.dstack([gray] * 3), 4)


@pytest.mark.parametrize("max_side_px", [1000, 30])
def test_cmyk_jpegs_come_out_in_their_colors(max_side_px):
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (120, 130, 40)]
    for color in colors:
        data = encoded(Image.new("RGB", (64, 40), color).convert("CMYK"), "jpeg")
        rgb = decode(data, max_side_px).rgb
        assert_close(rgb, np.broadcast_to(color, rgb.shape), 3)


def test_ycck_jpegs_come_out_in_their_colors():
    inks = np.zeros((32, 32, 4), np.uint8)
    inks[...] = (35, 125, 215, 255)  # Adobe stores light, not ink: this is the color itself
    data = encoded(Image.fromarray(255 - inks, "CMYK"), "jpeg")
    adobe = data.index(b"Adobe")
    components = np.frombuffer(data, np.uint8).copy()
    components[adobe + 11] = 2  # the transform flag: the first three components are YCbCr
    rgb = decode(components.tobytes()).rgb
    y, cb, cr = 35, 125 - 128, 215 - 128
    cmy = [y + 1.402 * cr, y - 0.344 * cb - 0.714 * cr, y + 1.772 * cb]
    assert_close(rgb, np.broadcast_to(np.clip(np.rint(255 - np.array(cmy)), 0, 255), rgb.shape), 4)


@pytest.mark.parametrize(
    ("depth", "kind", "samples", "expected"),
    [
        (16, 0, [[[0], [257], [32768], [65535]]], [[0] * 3, [1] * 3, [128] * 3, [255] * 3]),
        (16, 2, [[[0, 32768, 65535], [65535, 257, 0]]], [[0, 128, 255], [255, 1, 0]]),
        (16, 4, [[[0, 65535], [0, 0]]], [[0] * 3, [255] * 3]),
        (16, 6, [[[65535, 0, 0, 65535], [65535, 0, 0, 0]]], [[255, 0, 0], [255, 255, 255]]),
    ],
)
def test_sixteen_bits_scale_to_eight(depth, kind, samples, expected):
    rgb = decode(png(depth, kind, np.array(samples, ">u2"))).rgb
    assert_close(rgb[0], np.array(expected), 1)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_of_gray_reach_from_black_to_white(depth):
    width, levels = 8 // depth, 2**depth
    steps = [*range(min(width, levels) - 1), levels - 1]
    steps += [0] * (width - len(steps))
    packed = sum(step << (8 - depth * (place + 1)) for place, step in enumerate(steps))
    start = struct.pack(">IIBBBBB", width, 1, depth, 0, 0, 0, 0)
    body = chunk(b"IHDR", start) + chunk(b"IDAT", zlib.compress(bytes([0, packed]))) + chunk(b"IEND", b"")
    rgb = decode(b"\x89PNG\r\n\x1a\n" + body).rgb
    np.testing.assert_array_equal(rgb[0, :, 0], [round(step * 255 / (levels - 1)) for step in steps])


def test_a_palette_is_looked_up():
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 200, 100, 50, 0, 255, 0])
    np.testing.assert_array_equal(
        decode(encoded(image, "png")).rgb, [[[10, 20, 30], [200, 100, 50]], [[0, 255, 0], [200, 100, 50]]]
    )


def test_a_palette_with_transparency_lies_on_white():
    indices = np.array([[[0], [1]]], np.uint8)
    chunks = chunk(b"PLTE", bytes([10, 20, 30, 200, 100, 50])), chunk(b"tRNS", b"\0")
    np.testing.assert_array_equal(decode(png(8, 3, indices, *chunks)).rgb, [[[255] * 3, [200, 100, 50]]])


@pytest.mark.parametrize(("depth", "dtype", "full"), [(8, ">u1", 255), (16, ">u2", 65535)])
def test_a_color_key_is_read_or_ignored_but_never_fails(depth, dtype, full):
    samples = np.array([[[full, 0, 0], [0, full, 0]]], dtype)
    rgb = decode(png(depth, 2, samples, chunk(b"tRNS", struct.pack(">HHH", full, 0, 0)))).rgb
    np.testing.assert_array_equal(rgb[0, 1], [0, 255, 0])


@pytest.mark.parametrize("encoding", ["png", "lossless webp", "lossy webp", "heic"])
@pytest.mark.parametrize(("alpha", "red"), [(0, 255), (128, 228), (255, 200)])
def test_transparent_photos_lie_on_white(encoding, alpha, red):
    image = Image.new("RGBA", (40, 30), (200, 200, 200, alpha))
    rgb = decode(encoded(image, encoding)).rgb
    assert_close(rgb, np.full(rgb.shape, red), 3)


def test_colors_hidden_by_transparency_do_not_bleed_when_shrinking():
    pixels = np.zeros((200, 200, 4), np.uint8)
    pixels[:, ::2] = (255, 255, 255, 255)  # white stripes between fully transparent black ones
    for encoding in LOSSLESS:
        assert (
            decode(
                encoded(Image.fromarray(pixels), encoding, **({"exact": True} if "webp" in encoding else {})), 50
            ).rgb.min()
            == 255
        )


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


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kept", [0.3, 0.5, 0.9, 0.999])
def test_a_truncated_photo_is_refused_instead_of_shown_in_part(encoding, kept):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    data = encoded(Image.fromarray(noise), encoding)
    with pytest.raises(InvalidImage, match=r"truncated|damaged|ends before"):
        decode(data[: int(len(data) * kept)])


def test_a_truncated_heic_of_tiles_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    data = encoded(Image.fromarray(noise), "heic", tile_size=64)
    decode(data)
    with pytest.raises(InvalidImage, match="truncated"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("encoding", ["jpeg", "png", "lossless webp"])
def test_a_damaged_photo_never_crashes_the_decoder(encoding):
    random = np.random.default_rng(4)
    data = np.frombuffer(encoded(Image.fromarray(smooth(64, 48)), encoding), np.uint8)
    for _ in range(300):
        damaged = data.copy()
        damaged[random.integers(0, len(data), 3)] = random.integers(0, 256, 3)
        try:
            found = header.probe(damaged.tobytes())
            if found.pixels < 1_000_000:
                codec.decode(damaged.tobytes(), found, max_side_px=64)
        except (InvalidImage, UnsupportedFormat):
            pass


def test_a_flipped_bit_in_a_png_is_noticed():
    data = bytearray(encoded(Image.fromarray(smooth(64, 48)), "png"))
    data[data.index(b"IDAT") + 60] ^= 1
    with pytest.raises(InvalidImage, match="checksum"):
        decode(bytes(data))


@pytest.mark.parametrize(
    ("encoding", "claim"),
    [
        *[("png", claim) for claim in [(100, 100), (200, 80), (3000, 2000), (10, 10)]],
        *[("lossless webp", claim) for claim in [(200, 80), (3000, 2000)]],
    ],
)
def test_a_header_that_lies_about_the_size_is_found_out(encoding, claim):
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3), np.uint8)), encoding)
    width, height = claim
    if encoding == "png":
        body = struct.pack(">II", width, height) + data[24:29]
        lying = data[:8] + chunk(b"IHDR", body) + data[33:]
    else:
        bits = int.from_bytes(data[21:25], "little") >> 28 << 28 | (height - 1) << 14 | (width - 1)
        lying = data[:21] + bits.to_bytes(4, "little") + data[25:]
    with pytest.raises(InvalidImage):
        decode(lying)


def test_a_jpeg_that_claims_more_rows_than_it_has_is_truncated():
    data = encoded(Image.fromarray(smooth(120, 80)), "jpeg")
    with pytest.raises(InvalidImage, match=r"truncated|damaged"):
        decode(data.replace(struct.pack(">HH", 80, 120), struct.pack(">HH", 4000, 120), 1))


def test_another_photo_s_header_is_noticed():
    small, large = (encoded(Image.fromarray(smooth(side, side)), "png") for side in (40, 60))
    with pytest.raises(InvalidImage, match="not of the size"):
        codec.decode(small, header.probe(large), max_side_px=100)


def test_twelve_bit_jpegs_are_not_served():
    data = encoded(Image.fromarray(smooth(32, 32)), "jpeg")
    frame = data.index(b"\xff\xc0") + 4
    with pytest.raises(UnsupportedFormat, match="12 bits"):
        decode(data[:frame] + b"\x0c" + data[frame + 1 :])


def test_a_jpeg_of_endless_scans_is_refused_before_it_costs_time():
    data = encoded(Image.fromarray(smooth(64, 64)), "progressive jpeg")
    last = data.rindex(b"\xff\xda")
    with pytest.raises(InvalidImage, match="more than 64 scans"):
        decode(data[:last] + data[last:-2] * 100 + b"\xff\xd9")


def test_what_follows_the_end_of_a_jpeg_does_not_matter():
    data = encoded(Image.fromarray(smooth(64, 64)), "progressive jpeg")
    np.testing.assert_array_equal(decode(data + b"\xff\xda" * 1000).rgb, decode(data).rgb)


def test_packed_text_in_a_png_is_never_unpacked():
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 50_000_000))
    pixels = smooth(20, 10)
    data = encoded(Image.fromarray(pixels), "png")
    np.testing.assert_array_equal(decode(data[:33] + bomb * 100 + data[33:]).rgb, pixels)


def test_an_interlaced_png_comes_out_whole():
    rows = [[(7 * x + 3 * y) % 256 for x in range(8)] for y in range(8)]
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    packed = b"".join(b"\0" + bytes(rows[y][x0::dx]) for x0, y0, dx, dy in passes for y in range(y0, 8, dy))
    start = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    parts = chunk(b"IHDR", start) + chunk(b"IDAT", zlib.compress(packed)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(decode(b"\x89PNG\r\n\x1a\n" + parts).rgb[..., 0], rows)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_decoding_twice_gives_the_same_pixels(encoding):
    data = encoded(Image.fromarray(smooth(300, 200)), encoding)
    np.testing.assert_array_equal(decode(data, 77).rgb, decode(data, 77).rgb)


def test_the_bytes_of_two_photos_are_not_shared():
    data = encoded(Image.fromarray(smooth(30, 20)), "jpeg")
    first, second = decode(data).rgb, decode(data).rgb
    first[...] = 0
    assert second.any()
