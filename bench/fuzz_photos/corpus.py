"""Small photos of every kind, for tampering."""

import functools
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageCms

from bench.fuzz_photos import heics, jpegs, pngs, webps
from bench.fuzz_photos.dice import Dice
from bench.photos import heif
from bench.photos.encode import (
    COLOR,
    COLOR_ALPHA,
    GRAY,
    GRAY_ALPHA,
    PALETTE,
    blotches,
    half_transparent,
    heic,
    jpeg,
    png,
    png_chunk,
    webp,
)
from bench.photos.prefix_codes import many_groups

_WH, _TILE = (96, 64), (64, 64)
_LARGE_PROFILE_BYTES = 2_000_000
_GRAY_KEY, _COLOR_KEY, _OPACITY = (png_chunk(b"tRNS", body) for body in (b"\0\x20", b"\0\x20" * 3, bytes(range(200))))

Tamper = Callable[[bytes, Dice, bytes], bytes]


@functools.cache
def profile() -> bytes:
    """A sound color profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _padded(sound: bytes) -> bytes:
    """The profile with zeros behind it, as large as is read of a JPEG."""
    return _LARGE_PROFILE_BYTES.to_bytes(4, "big") + sound[4:] + bytes(_LARGE_PROFILE_BYTES - len(sound))


@functools.cache
def kinds() -> Mapping[str, tuple[bytes, Tamper]]:
    """Name to a photo that can be decoded, and how it is tampered with."""
    return {
        **{f"jpeg {name}": (photo, jpegs.tamper) for name, photo in _jpegs().items()},
        **{f"png {name}": (photo, pngs.tamper) for name, photo in _pngs().items()},
        **{f"webp {name}": (photo, webps.tamper) for name, photo in _webps().items()},
        **{f"heic {name}": (photo, heics.tamper) for name, photo in _heics().items()},
    }


def _jpegs() -> dict[str, bytes]:
    rgb = blotches(*_WH)
    return {
        "baseline": jpeg(rgb),
        "4:4:4": jpeg(rgb, subsampling=0),
        "gray": jpeg(rgb, mode="L"),
        "cmyk": jpeg(rgb, mode="CMYK"),
        "progressive": jpeg(rgb, progressive=True),
        "restart": jpeg(rgb, restart_marker_blocks=2),
        "profile": jpeg(rgb, icc_profile=profile(), exif=Image.Exif().tobytes()),
        "large profile": jpeg(rgb, icc_profile=_padded(profile())),
    }


def _pngs() -> dict[str, bytes]:
    simple = {"gray": GRAY, "color": COLOR, "palette": PALETTE, "gray alpha": GRAY_ALPHA, "alpha": COLOR_ALPHA}
    deep = {f"16 bits {name}": png(*_WH, kind, depth=16) for name, kind in simple.items() if kind != PALETTE}
    return {
        **{name: png(*_WH, kind) for name, kind in simple.items()},
        **deep,
        "gray key": png(*_WH, GRAY, extra=_GRAY_KEY),
        "color key": png(*_WH, COLOR, extra=_COLOR_KEY),
        "16 bits gray key": png(*_WH, GRAY, depth=16, extra=_GRAY_KEY),
        "16 bits color key": png(*_WH, COLOR, depth=16, extra=_COLOR_KEY),
        "palette opacity": png(*_WH, PALETTE, extra=_OPACITY),
        "interlaced": png(*_WH, COLOR, interlaced=True),
    }


def _webps() -> dict[str, bytes]:
    rgb = blotches(*_WH)
    return {
        "lossy": webp(rgb),
        "lossless": webp(rgb, lossless=True),
        "alpha": webp(half_transparent(rgb)),
        "lossless alpha": webp(half_transparent(rgb), lossless=True),
        "few colors": webp(rgb // 64 * 64, lossless=True),
        "prefix codes": many_groups(64),
    }


def _heics() -> dict[str, bytes]:
    part = functools.cache(lambda wh, gray: heif.coded(heic(blotches(*wh)[..., 0] if gray else blotches(*wh))))

    def with_properties(*properties: tuple[bytes, bytes]) -> heif.Part:
        plain = part(_WH, False)
        return heif.Part(plain.kind, plain.data, [*plain.properties, *properties])

    files = {
        "plain": (with_properties(),),
        "deep": (heif.coded(heic(blotches(*_WH), deep=True)),),
        "4:4:4": (heif.coded(heic(blotches(*_WH), chroma=444)),),
        "gray": (part(_WH, True),),
        "turned and cropped": (with_properties(heif.turn(1), heif.crop(40, 60)),),
        "tiles": (heif.grid(2, 2, (120, 110), [2, 3, 2, 3]), part(_TILE, False), part(_TILE, False)),
        "layers": (heif.overlay(_WH, [2, 3]), part(_WH, False), part(_TILE, False)),
        "again": (heif.derived(2, (90, 60), heif.turn(1)), with_properties(heif.crop(90, 60))),
        "alpha": (part(_WH, False), heif.auxiliary(part(_TILE, True), heif.ALPHA, 1)),
        "tiles with alpha": (
            heif.grid(1, 2, (120, 64), [2, 2]),
            part(_TILE, False),
            heif.auxiliary(part(_TILE, True), heif.ALPHA, 2),
        ),
    }
    return {name: heif.file_of(*parts, pictures_first=True) for name, parts in files.items()}


def noise(dice: Dice) -> bytes:
    """Bytes at random behind the first ones of a format."""
    start = dice.choice([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBPVP8 ", b"\0\0\0\x18ftypheic"])
    return bytes(start + np.random.default_rng(dice.getrandbits(32)).bytes(dice.randrange(400)))
