"""What light and chalk do to holds, without changing their names. Linear light (B, 3, H, W) in and out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from training.colorizer.chance import Dice


def lit(light: Tensor, dice: Dice, strength: float) -> Tensor:
    """Exposure, white balance, now and then a soft shadow's edge or fainter colors.

    Args:
        light: linear light.
        dice: random numbers.
        strength: how widely exposure and white balance vary; 0 leaves them alone.
    """
    count = len(light)
    exposure = dice.normal(0.12 * strength, count, 1, 1, 1)
    light = light * torch.exp(exposure + dice.normal(0.035 * strength, count, 3, 1, 1))
    light = light * torch.where(dice.happens(0.2, count, 1, 1, 1), shadow(light, dice), 1.0)
    gray = light.mean(dim=1, keepdim=True)
    faint = torch.where(dice.happens(0.3, count, 1, 1, 1), dice.uniform(0.85, 1.1, count, 1, 1, 1), 1.0)
    return gray + (light - gray) * faint


def shadow(light: Tensor, dice: Dice) -> Tensor:
    """(B, 1, H, W) factors in 0.45..1: a half plane with a soft edge."""
    count, _, height, width = light.shape
    down = torch.linspace(0, 1, height, device=light.device).view(1, 1, -1, 1) - dice.uniform(0.2, 0.8, count, 1, 1, 1)
    across = torch.linspace(0, 1, width, device=light.device).view(1, 1, 1, -1) - dice.uniform(0.2, 0.8, count, 1, 1, 1)
    angle = dice.uniform(0, 2 * torch.pi, count, 1, 1, 1)
    side = across * angle.cos() + down * angle.sin()
    return 1 - dice.uniform(0.1, 0.55, count, 1, 1, 1) * torch.sigmoid(side / dice.uniform(0.03, 0.2, count, 1, 1, 1))


def chalked(light: Tensor, dice: Dice) -> Tensor:
    """On a quarter of the holds cloudy white stains."""
    count, _, height, width = light.shape
    coarse = dice.uniform(0, 1, count, 1, *[int(v) for v in torch.randint(3, 7, (2,))])
    cloud = interpolate(coarse, (height, width), mode="bicubic")
    cover = ((cloud - dice.uniform(0.5, 0.8, count, 1, 1, 1)) * 3).clamp(0, 1) * dice.uniform(0.2, 0.8, count, 1, 1, 1)
    cover = cover * dice.happens(0.25, count, 1, 1, 1)
    bright = light[:, :, ::6, ::6].flatten(1).quantile(0.95, dim=1).view(-1, 1, 1, 1)
    return light * (1 - cover) + (1.1 * bright).clamp(max=1) * cover
