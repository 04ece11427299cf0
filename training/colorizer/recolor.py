"""Give holds another color in OKLab: keep texture, shading, gloss and chalk; move hue, chroma and lightness."""

from __future__ import annotations

import torch
from torch import Tensor

CHROMATIC = 0.04
"""Chroma above which a hold has a hue of its own; below it, chalk can only be told by lightness."""

CHALK_LIGHTER = 0.2
"""OKLab lightness above the hold's median from which a pixel of a colorless hold counts as chalk."""


def recolor(pixels: Tensor, middle: Tensor, target: Tensor) -> Tensor:
    """Move holds' pixels so that their median becomes the target.

    Each pixel is read as a mixture of the hold's own color and something else on it (chalk, gloss): the share of the
    hold's own color moves to the target's hue and chroma, the rest stays what it was. Lightness is scaled, so shading
    keeps its contrast.

    Args:
        pixels: (B, 3, ...) OKLab of the holds' pixels.
        middle: (B, 3) OKLab, each hold's median.
        target: (B, 3) OKLab.

    Returns:
        (B, 3, ...) OKLab; a new tensor.
    """
    flat = pixels.flatten(2)
    own = _own_share(flat, middle)
    rest = flat[:, 1:] - own * middle[:, 1:, None]
    covered = own.clamp(0, 1)
    lightness = flat[:, :1] * (target[:, :1] / middle[:, :1].clamp(min=0.05))[..., None]
    under = torch.maximum(lightness, flat[:, :1]).clamp(max=1)
    moved = torch.cat((covered * lightness + (1 - covered) * under, own * target[:, 1:, None] + 0.7 * rest), dim=1)
    return moved.view_as(pixels)


def _own_share(flat: Tensor, middle: Tensor) -> Tensor:
    """(B, 1, N) how much of each pixel is the hold's own color; up to 1.4 where it is purer than the median."""
    hue = middle[:, 1:, None]
    squared = (hue**2).sum(dim=1, keepdim=True)
    by_hue = ((flat[:, 1:] * hue).sum(dim=1, keepdim=True) / squared.clamp(min=1e-6)).clamp(0, 1.4)
    by_lightness = (1 - (flat[:, :1] - middle[:, :1, None] - CHALK_LIGHTER) / CHALK_LIGHTER).clamp(0, 1)
    return torch.where(squared > CHROMATIC**2, by_hue, by_lightness)
