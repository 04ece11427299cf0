"""Photos that can be decoded, one for every way through the decoders, most of them 12 megapixels and more."""

import zlib
from collections.abc import Callable, Mapping
from functools import partial

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

_PHONE, _LARGE, _SMALL = (4032, 3024), (8160, 6120), (1633, 1225)
_HEIC = (3200, 2400)  # encoding HEVC takes its time
_PROFILE = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(20 << 20)))


def _jpeg(wh: tuple[int, int], **options: object) -> Callable[[], bytes]:
    return lambda: jpeg(blotches(*wh), **options)  # type: ignore[arg-type]


def _webp(wh: tuple[int, int], *, alpha: bool = False, lossless: bool = False) -> Callable[[], bytes]:
    return lambda: webp(half_transparent(blotches(*wh)) if alpha else blotches(*wh), lossless=lossless)


def _heic(*, alpha: bool = False, **options: object) -> Callable[[], bytes]:
    return lambda: heic(half_transparent(blotches(*_HEIC)) if alpha else blotches(*_HEIC), **options)  # type: ignore[arg-type]


HONEST: Mapping[str, Callable[[], bytes]] = {
    "jpeg-2mp.jpg": _jpeg(_SMALL),
    "jpeg-2mp-gray.jpg": _jpeg(_SMALL, mode="L"),
    "jpeg-2mp-cmyk.jpg": _jpeg(_SMALL, mode="CMYK"),
    "jpeg-12mp.jpg": _jpeg(_PHONE),
    "jpeg-12mp-cmyk.jpg": _jpeg(_PHONE, mode="CMYK"),
    "jpeg-50mp.jpg": _jpeg(_LARGE),
    "jpeg-50mp-gray.jpg": _jpeg(_LARGE, mode="L"),
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
}
"""File name to its maker. Megapixels are those of the full size."""
