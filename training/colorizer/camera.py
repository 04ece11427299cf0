"""What a camera and a file leave of holds: fewer pixels, noise, JPEG. sRGB 0..255 as float (B, 3, H, W) in and out."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

from training.colorizer.chance import Dice
from training.colorizer.constants import constant

GROUPS = 8
"""A batch is cut into as many parts; the holds of one part share a resolution."""

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99), (18, 21, 26, 66, 99, 99, 99, 99), (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99), *[(99,) * 8] * 4,
)  # fmt: skip
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_FROM_YCC = ((1, 0, 1.402), (1, -0.344136, -0.714136), (1, 1.772, 0))
_DCT = tuple(
    tuple(math.sqrt((1 if k == 0 else 2) / 8) * math.cos(math.pi / 8 * k * (i + 0.5)) for i in range(8))
    for k in range(8)
)


def photographed(srgb: Tensor, dice: Dice) -> Tensor:
    """Half of the holds as they come, half with fewer pixels; noise on some, JPEG on some."""
    taken = torch.empty_like(srgb)
    for i in range(GROUPS):
        taken[i::GROUPS] = _taken(srgb[i::GROUPS], dice, coarse=i % 2 == 1)
    return taken


def _taken(srgb: Tensor, dice: Dice, *, coarse: bool) -> Tensor:
    count, size = len(srgb), srgb.shape[-2:]
    if coarse:
        side = int(torch.randint(16, 72, ()))
        srgb = interpolate(srgb, (side, side), mode="bilinear", antialias=True)
    noise = dice.uniform(1, 7, count, 1, 1, 1) * dice.happens(0.3, count, 1, 1, 1)
    srgb = srgb + noise * dice.normal(1, *srgb.shape)
    pressed = as_jpeg(srgb, dice.uniform(35, 95, count), halved=bool(torch.rand(()) < 0.7))
    srgb = torch.where(dice.happens(0.4, count, 1, 1, 1), pressed, srgb)
    return interpolate(srgb, size, mode="bilinear").clamp(0, 255) if coarse else srgb.clamp(0, 255)


def as_jpeg(srgb: Tensor, quality: Tensor, *, halved: bool) -> Tensor:
    """What baseline JPEG leaves of images.

    Args:
        srgb: (B, 3, H, W) 0..255.
        quality: (B,) 1..100.
        halved: whether the chroma planes have half the resolution, as phones' files do.
    """
    height, width = srgb.shape[-2:]
    whole = pad(srgb, (0, -width % 16, 0, -height % 16), mode="replicate")
    luma, chroma = conv2d(whole, constant(srgb.device, *_TO_YCC)[..., None, None]).split((1, 2), dim=1)
    if halved:
        chroma = avg_pool2d(chroma, 2)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).view(-1, 1, 1, 1, 1, 1)
    luma = _quantized(luma - 128, constant(srgb.device, *_LUMA), scale) + 128
    chroma = _quantized(chroma, constant(srgb.device, *_CHROMA), scale)
    if halved:
        chroma = interpolate(chroma, luma.shape[-2:], mode="bilinear")
    back = conv2d(torch.cat((luma, chroma), dim=1), constant(srgb.device, *_FROM_YCC)[..., None, None])
    return back[..., :height, :width].clamp(0, 255)


def _quantized(plane: Tensor, table: Tensor, scale: Tensor) -> Tensor:
    """Round the cosine coefficients of every block of 8 by 8."""
    count, channels, height, width = plane.shape
    dct = constant(plane.device, *_DCT)
    blocks = plane.view(count, channels, height // 8, 8, width // 8, 8)
    steps = ((table * scale + 50) / 100).floor().clamp(1, 255)
    blocks = blocks.transpose(3, 4)
    waves = dct @ blocks @ dct.T
    waves = (waves / steps).round() * steps
    return (dct.T @ waves @ dct).transpose(3, 4).reshape(plane.shape)
