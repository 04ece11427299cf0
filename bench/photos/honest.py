"""Photos that can be decoded, one for every way through the decoders, most of them 12 megapixels and more."""

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial

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

_PHONE, _LARGE, _SMALL, _PANORAMA = (4032, 3024), (8160, 6120), (1633, 1225), (16382, 3794)
_HEIC, _TILE = (3200, 2400), (800, 800)  # encoding HEVC takes its time
_GRAY_KEY, _COLOR_KEY = (png_chunk(b"tRNS", struct.pack(f">{channels}H", *[100] * channels)) for channels in (1, 3))
_PROFILE = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(20 << 20)))


def _jpeg(wh: tuple[int, int], **options: object) -> Callable[[], bytes]:
    return lambda: jpeg(blotches(*wh), **options)  # type: ignore[arg-type]


def _webp(wh: tuple[int, int], *, alpha: bool = False, lossless: bool = False) -> Callable[[], bytes]:
    return lambda: webp(half_transparent(blotches(*wh)) if alpha else blotches(*wh), lossless=lossless)


def _heic(*, alpha: bool = False, **options: object) -> Callable[[], bytes]:
    return lambda: heic(half_transparent(blotches(*_HEIC)) if alpha else blotches(*_HEIC), **options)  # type: ignore[arg-type]


def _coded(wh: tuple[int, int], *properties: tuple[bytes, bytes], gray: bool = False) -> heif.Part:
    part = heif.coded(heic(blotches(*wh)[..., 0] if gray else blotches(*wh)))
    part.properties += properties
    return part


def _of_tiles(*properties: tuple[bytes, bytes]) -> bytes:
    grid = heif.grid(3, 4, _HEIC, range(2, 14))
    grid.properties += properties
    return heif.file_of(grid, *[_coded(_TILE)] * 12)


def _with_auxiliary(wh: tuple[int, int], kind: bytes) -> bytes:
    return heif.file_of(_coded(_HEIC), heif.auxiliary(_coded(wh, gray=True), kind, 1))


def _with_thumbnail() -> bytes:
    thumbnail = _coded(_HEIC)
    thumbnail.references[b"thmb"] = [1]
    return heif.file_of(_coded(_HEIC), thumbnail)


HONEST: Mapping[str, Callable[[], bytes]] = {
    "jpeg-2mp.jpg": _jpeg(_SMALL),
    "jpeg-2mp-gray.jpg": _jpeg(_SMALL, mode="L"),
    "jpeg-2mp-cmyk.jpg": _jpeg(_SMALL, mode="CMYK"),
    "jpeg-12mp.jpg": _jpeg(_PHONE),
    "jpeg-12mp-cmyk.jpg": _jpeg(_PHONE, mode="CMYK"),
    "jpeg-50mp.jpg": _jpeg(_LARGE),
    "jpeg-50mp-gray.jpg": _jpeg(_LARGE, mode="L"),
    "jpeg-62mp.jpg": _jpeg(_PANORAMA),
    "jpeg-65500x600.jpg": _jpeg((65500, 600)),
    "jpeg-12mp-progressive.jpg": _jpeg(_PHONE, progressive=True),
    "jpeg-12mp-progressive-cmyk.jpg": _jpeg(_PHONE, progressive=True, mode="CMYK"),
    "jpeg-50mp-progressive.jpg": _jpeg(_LARGE, progressive=True),
    "jpeg-50mp-progressive-444.jpg": _jpeg(_LARGE, progressive=True, subsampling=0),
    "jpeg-65500x600-progressive.jpg": _jpeg((65500, 600), progressive=True),
    "png-2mp.png": partial(png, *_SMALL, COLOR),
    "png-2mp-gray.png": partial(png, *_SMALL, GRAY),
    "png-2mp-profile-bomb.png": partial(png, *_SMALL, COLOR, extra=_PROFILE),
    "png-12mp.png": partial(png, *_PHONE, COLOR),
    "png-12mp-palette.png": partial(png, *_PHONE, PALETTE),
    "png-12mp-gray.png": partial(png, *_PHONE, GRAY),
    "png-12mp-alpha.png": partial(png, *_PHONE, COLOR_ALPHA),
    "png-12mp-16bit.png": partial(png, *_PHONE, COLOR, depth=16),
    "png-12mp-16bit-gray.png": partial(png, *_PHONE, GRAY, depth=16),
    "png-12mp-16bit-gray-alpha.png": partial(png, *_PHONE, GRAY_ALPHA, depth=16),
    "png-12mp-16bit-alpha.png": partial(png, *_PHONE, COLOR_ALPHA, depth=16),
    "png-12mp-gray-key.png": partial(png, *_PHONE, GRAY, extra=_GRAY_KEY),
    "png-12mp-16bit-gray-key.png": partial(png, *_PHONE, GRAY, depth=16, extra=_GRAY_KEY),
    "png-12mp-key.png": partial(png, *_PHONE, COLOR, extra=_COLOR_KEY),
    "png-12mp-16bit-key.png": partial(png, *_PHONE, COLOR, depth=16, extra=_COLOR_KEY),
    "png-12mp-interlaced.png": partial(png, *_PHONE, COLOR, interlaced=True),
    "png-50mp.png": partial(png, *_LARGE, COLOR),
    "png-200000x100.png": partial(png, 200_000, 100, COLOR),
    "webp-2mp.webp": _webp(_SMALL),
    "webp-12mp.webp": _webp(_PHONE),
    "webp-12mp-alpha.webp": _webp(_PHONE, alpha=True),
    "webp-12mp-lossless.webp": _webp(_PHONE, lossless=True),
    "webp-12mp-lossless-alpha.webp": _webp(_PHONE, lossless=True, alpha=True),
    "webp-16383x1500.webp": _webp((16383, 1500)),
    "heic-8mp.heic": _heic(),
    "heic-8mp-tiles.heic": _heic(tile_size=512),
    "heic-8mp-444.heic": _heic(chroma=444),
    "heic-8mp-alpha.heic": _heic(alpha=True),
    "heic-8mp-10bit.heic": _heic(deep=True),
    "heic-8mp-10bit-444.heic": _heic(deep=True, chroma=444),
    "heic-8mp-10bit-alpha.heic": _heic(deep=True, alpha=True),
    "heic-8mp-422.heic": _heic(chroma=422),
    "heic-8mp-10bit-422.heic": _heic(deep=True, chroma=422),
    "heic-8mp-gray.heic": lambda: heic(blotches(*_HEIC)[..., 0]),
    "heic-8mp-10bit-gray.heic": lambda: heic(blotches(*_HEIC)[..., 0], deep=True),
    "heic-8mp-cropped.heic": lambda: heif.file_of(_coded(_HEIC, heif.crop(3000, 2200))),
    "heic-8mp-cropped-small.heic": lambda: heif.file_of(_coded(_HEIC, heif.crop(64, 64))),
    "heic-8mp-turned.heic": lambda: heif.file_of(_coded(_HEIC, heif.turn(1))),
    "heic-8mp-turned-cropped.heic": lambda: heif.file_of(_coded(_HEIC, heif.turn(1), heif.crop(2000, 3000))),
    "heic-8mp-tiles-turned.heic": lambda: _of_tiles(heif.turn(3)),
    "heic-8mp-layers.heic": lambda: heif.file_of(heif.overlay(_HEIC, [2, 3]), _coded(_HEIC), _coded(_TILE)),
    "heic-8mp-again.heic": lambda: heif.file_of(heif.derived(2, _HEIC), _coded(_HEIC)),
    "heic-8mp-small-alpha.heic": lambda: _with_auxiliary((400, 300), heif.ALPHA),
    "heic-1mp-large-alpha.heic": lambda: heif.file_of(
        _coded(_TILE), heif.auxiliary(_coded(_HEIC, gray=True), heif.ALPHA, 1)
    ),
    "heic-8mp-depth.heic": lambda: _with_auxiliary(_HEIC, heif.DEPTH),
    "heic-8mp-thumbnail.heic": _with_thumbnail,
}
"""File name to its maker. Megapixels are those of the full size."""
