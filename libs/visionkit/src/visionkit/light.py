"""The color of the light in a photo, and how to take it out: white under a tungsten lamp is orange in the file.

Gray-edge (van de Weijer, Gevers, Gijsenij, "Edge-Based Color Constancy", 2007): the differences between neighboring
pixels are gray in the mean. Unlike the pixels themselves they do not depend on what most of the wall is painted with.
"""

import functools
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

LONG_SIDE_PX = 480
"""About so long are photos shrunk, by whole factors, which OpenCV does ten times as fast as others."""

SMOOTHING_PX = 1.5
CLIPPED = 250
"""Pixels with a brighter channel have lost their color."""

USUAL = (0.17, -0.14)
"""Red and blue of the edges on photos of climbing walls, whose cameras have balanced them; the mean of two gyms."""

SPREAD = (0.08, 0.12)
"""The standard deviation of that from photo to photo; most of it is what hangs on the wall, not the light."""

TRUSTED = 2.0
"""Within so many deviations half of what is found is taken for light; what is beyond is all taken for light."""

STRONGEST = 1.5
"""No lamp is taken to be farther from neutral than this."""

FAINTEST = 1e-4
"""A photo with weaker edges tells nothing of its light."""

_LINEAR = np.where(
    np.arange(256) / 255 <= 0.04045, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4
).astype(np.float32)
_LUMINANCE = np.array((0.2126, 0.7152, 0.0722), np.float32)


class Light(NamedTuple):
    """The light's red and blue against its green, as natural logarithms of linear light; neutral is 0, 0."""

    red: float
    blue: float


NEUTRAL = Light(0.0, 0.0)


def estimate(photo_rgb: NDArray[np.uint8]) -> Light:
    """Estimate the light of a whole photo (H, W, 3), sRGB; neutral where there is nothing to see."""
    small, usable = _small(photo_rgb)
    if not usable.any():
        return NEUTRAL
    red, green, blue = (_mean_edge(plane, usable) for plane in cv2.split(small))
    if min(red, green, blue) < FAINTEST:
        return NEUTRAL
    return _trusted(np.log(red / green) - USUAL[0], np.log(blue / green) - USUAL[1])


def gains(light: Light) -> NDArray[np.float32]:
    """(3,) factors on linear red, green and blue that take the light out and leave a gray as bright as it was."""
    cast = np.exp(np.array((light.red, 0.0, light.blue), np.float32))
    return np.asarray((cast @ _LUMINANCE) / cast, np.float32)


def balanced(rgb: NDArray[np.uint8], light: Light) -> NDArray[np.uint8]:
    """The pixels (H, W, 3), sRGB, as they would be under neutral light; `rgb` itself where the light is neutral."""
    if light == NEUTRAL:
        return rgb
    return cv2.LUT(rgb, _table(light)).astype(np.uint8, copy=False)


@functools.lru_cache(maxsize=16)  # all holds of a photo hang in one light
def _table(light: Light) -> NDArray[np.uint8]:
    """(1, 256, 3) what becomes of every value of red, green and blue."""
    linear = np.clip(_LINEAR[:, None] * gains(light), 0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    table: NDArray[np.uint8] = (encoded * 255 + 0.5).astype(np.uint8)
    return table[None]


def _small(photo_rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The photo, shrunk and smoothed, and which of its pixels are not clipped."""
    factor = max(1, round(max(photo_rgb.shape[:2]) / LONG_SIDE_PX))
    height, width = (max(1, side // factor) for side in photo_rgb.shape[:2])
    whole = photo_rgb[: height * factor, : width * factor]
    small = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    red, green, blue = cv2.split(small)
    usable = cv2.max(cv2.max(red, green), blue) < CLIPPED
    return cv2.GaussianBlur(small, (0, 0), SMOOTHING_PX).astype(np.uint8, copy=False), usable


def _mean_edge(channel: NDArray[Any], usable: NDArray[np.bool_]) -> float:
    linear = cv2.LUT(channel, _LINEAR)
    steepness = cv2.magnitude(cv2.Sobel(linear, cv2.CV_32F, 1, 0), cv2.Sobel(linear, cv2.CV_32F, 0, 1))
    return float(steepness[usable].mean())


def _trusted(red: float, blue: float) -> Light:
    """What of a measured cast is light."""
    deviations = float(np.hypot(red / SPREAD[0], blue / SPREAD[1]))
    share = 1 - 0.5 * min(1.0, TRUSTED / max(deviations, 1e-6))
    return Light(*(float(np.clip(value * share, -STRONGEST, STRONGEST)) for value in (red, blue)))
