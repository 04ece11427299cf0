"""Between sRGB, linear light and OKLab, for batches of images.

OKLab: Björn Ottosson, "A perceptual color space for image processing", 2020.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

Matrix = tuple[tuple[float, ...], ...]
"""Three rows of three."""

_TO_LMS: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_FROM_LAB: Matrix = tuple(map(tuple, np.linalg.inv(_TO_LAB).tolist()))
_FROM_LMS: Matrix = tuple(map(tuple, np.linalg.inv(_TO_LMS).tolist()))


def to_linear(srgb: Tensor) -> Tensor:
    """From sRGB 0..255, any shape, to linear light 0..1."""
    share = srgb.float() / 255
    return torch.where(share <= 0.04045, share / 12.92, ((share.clamp(min=0.04) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Tensor) -> Tensor:
    """From linear light to sRGB 0..255 as float, clipped into the gamut."""
    light = linear.clamp(0, 1)
    return 255 * torch.where(light <= 0.0031308, light * 12.92, 1.055 * light.clamp(min=0.003) ** (1 / 2.4) - 0.055)


def to_oklab(linear: Tensor) -> Tensor:
    """Linear light (B, 3, ...) to OKLab (B, 3, ...): lightness 0..1, then the green-red and blue-yellow axes."""
    lms = _mixed(_TO_LMS, linear)
    return _mixed(_TO_LAB, lms.sign() * lms.abs() ** (1 / 3))


def from_oklab(lab: Tensor) -> Tensor:
    """OKLab (B, 3, ...) to linear light, which may lie outside 0..1."""
    return _mixed(_FROM_LMS, _mixed(_FROM_LAB, lab) ** 3)


def oklab_of(srgb: Tensor) -> Tensor:
    """(N, 3) sRGB 0..255 to (N, 3) OKLab."""
    return to_oklab(to_linear(srgb))


def _mixed(matrix: Matrix, channels: Tensor) -> Tensor:
    """Apply a 3 x 3 matrix to the channels (B, 3, ...), in full precision, which a GPU's matrix product is not."""
    red, green, blue = channels.unbind(dim=1)
    return torch.stack([r * red + g * green + b * blue for r, g, b in matrix], dim=1)
