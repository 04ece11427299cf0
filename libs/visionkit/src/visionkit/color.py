"""From whatever color space a photo brings to 8-bit sRGB."""

import io
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from visionkit import profile
from visionkit.pixels.raster import Raster, Samples, Space

Pixels = NDArray[np.uint8]
Convert = Callable[[Pixels], Samples]  # a strip of any rows to (H, W, 3) uint8

_MODES = {"gray": ("L", "L"), "rgb": ("RGB", "RGB"), "cmyk": ("CMYK", "CMYK;I")}  # Pillow's, and how bytes fill it
_STRIP_ROWS = 64
_16_TO_8_BITS = 255 / 65535


def to_srgb(raster: Raster) -> Pixels:
    """Convert to (H, W, 3) uint8 sRGB.

    Meant for the shrunk photo: at most a second array of its size is made. A profile that is damaged or belongs to
    other channels is ignored, as viewers do.
    """
    samples, space = _opaque(_eight_bits(raster.samples), raster.space)
    convert = _by_profile(raster.icc, space) or _WITHOUT_PROFILE.get(space)
    return samples if convert is None else _in_strips(samples, convert)


def _eight_bits(samples: Samples) -> Pixels:
    if samples.dtype == np.uint8:
        return samples.view(np.uint8)
    return cv2.convertScaleAbs(samples, alpha=_16_TO_8_BITS).view(np.uint8)


def _opaque(samples: Pixels, space: Space) -> tuple[Pixels, Space]:
    return (np.ascontiguousarray(samples[..., :3]), "rgb") if space == "rgba" else (samples, space)


def _in_strips(samples: Pixels, convert: Convert) -> Pixels:
    rgb = np.empty((*samples.shape[:2], 3), np.uint8)
    for top in range(0, len(samples), _STRIP_ROWS):
        strip = np.ascontiguousarray(samples[top : top + _STRIP_ROWS])
        rgb[top : top + len(strip)] = convert(strip)
    return rgb


def _gray_to_rgb(strip: Pixels) -> Samples:
    return cv2.cvtColor(strip, cv2.COLOR_GRAY2RGB)


def _cmyk_to_rgb(strip: Pixels) -> Samples:
    light = cv2.cvtColor(strip[..., 3], cv2.COLOR_GRAY2RGB)  # what black ink lets through
    return cv2.multiply(np.ascontiguousarray(strip[..., :3]), light, scale=1 / 255)


_WITHOUT_PROFILE: Mapping[Space, Convert] = {"gray": _gray_to_rgb, "cmyk": _cmyk_to_rgb}


def _by_profile(icc: bytes | None, space: Space) -> Convert | None:
    """A conversion through Little CMS, if there is a usable profile."""
    if icc is None or space == "rgba" or not profile.is_usable(icc, space):
        return None
    mode, filling = _MODES[space]
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(icc))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None

    def convert(strip: Pixels) -> Samples:
        image = Image.frombytes(mode, strip.shape[1::-1], strip.data, "raw", filling)
        return np.asarray(transform.apply(image))

    return convert
