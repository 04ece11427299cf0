"""From whatever color space a photo brings to 8-bit sRGB."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from visionkit.pixels.raster import Raster, Samples, Space

Pixels = NDArray[np.uint8]

_PROFILE_SPACES = {"gray": "GRAY", "rgb": "RGB ", "cmyk": "CMYK"}
_MODES = {"gray": ("L", "L"), "rgb": ("RGB", "RGB"), "cmyk": ("CMYK", "CMYK;I")}  # Pillow's, and how bytes fill it
_STRIP_ROWS = 64
_16_TO_8_BITS = 255 / 65535


def to_srgb(raster: Raster) -> Pixels:
    """Convert to (H, W, 3) uint8 sRGB.

    Meant for the shrunk photo: a second array of its size is made. A profile that is damaged or belongs to other
    channels is ignored, as viewers do.
    """
    samples, space = _opaque(_eight_bits(raster.samples), raster.space)
    profile = None if raster.icc is None else _foreign_profile(raster.icc, space)
    converted = None if profile is None else _converted(samples, space, profile)
    return _without_profile(samples, space) if converted is None else converted


def _eight_bits(samples: Samples) -> Pixels:
    if samples.dtype == np.uint8:
        return samples.view(np.uint8)
    return cv2.convertScaleAbs(samples, alpha=_16_TO_8_BITS).view(np.uint8)


def _opaque(samples: Pixels, space: Space) -> tuple[Pixels, Space]:
    return (np.ascontiguousarray(samples[..., :3]), "rgb") if space == "rgba" else (samples, space)


def _without_profile(samples: Pixels, space: Space) -> Pixels:
    if space == "gray":
        return cv2.cvtColor(samples, cv2.COLOR_GRAY2RGB).view(np.uint8)
    if space == "cmyk":
        light = cv2.merge([samples[..., 3]] * 3)  # what black ink lets through
        return cv2.multiply(np.ascontiguousarray(samples[..., :3]), light, scale=1 / 255).view(np.uint8)
    return samples


def _foreign_profile(icc: bytes, space: Space) -> ImageCms.ImageCmsProfile | None:
    """The profile if it says anything beyond sRGB about samples of this space."""
    try:
        profile = ImageCms.getOpenProfile(io.BytesIO(icc))
    except ImageCms.PyCMSError:
        return None
    description = profile.profile.profile_description or ""
    if profile.profile.xcolor_space != _PROFILE_SPACES[space] or description.startswith("sRGB"):
        return None
    return profile


def _converted(samples: Pixels, space: Space, profile: ImageCms.ImageCmsProfile) -> Pixels | None:
    """Convert through Little CMS, in strips; None when it finds no way from the profile to sRGB."""
    mode, filling = _MODES[space]
    height, width = samples.shape[:2]
    rgb = np.empty((height, width, 3), np.uint8)
    try:
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
        for top in range(0, height, _STRIP_ROWS):
            strip = np.ascontiguousarray(samples[top : top + _STRIP_ROWS])
            image = Image.frombytes(mode, (width, len(strip)), strip.data, "raw", filling)
            rgb[top : top + len(strip)] = np.asarray(transform.apply(image))
    except ImageCms.PyCMSError:
        return None
    return rgb
