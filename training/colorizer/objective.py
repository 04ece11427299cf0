"""CLIP's contrastive loss where several captions may be right and some pairs are left out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

RELATED = 0.15
"""OKLab distance under which a survey color's name might be right as well, so that it is no wrong answer."""


def left_out(right: Tensor, oklab: Tensor, named: Tensor, centers: Tensor) -> Tensor:
    """(B, C) bool: pairs of which nobody knows whether they are right.

    A survey name close to the hold's color may be right too; whether a survey color is "red" or "orange" to a climber
    is unknown unless the row says so.

    Args:
        right: (B, C) how right each concept is.
        oklab: (B, 3) colors of the holds.
        named: (B,) rows that know their palette name.
        centers: (C, 3) OKLab of the concepts, NaN for palette names.
    """
    is_palette = centers[:, 0].isnan()
    close = torch.cdist(oklab, centers.nan_to_num(9.0), compute_mode="donot_use_mm_for_euclid_dist") < RELATED
    unknown = (close & ~is_palette) | (~named[:, None] & is_palette)
    return unknown & (right == 0)


def contrastive(images: Tensor, texts: Tensor, scale: Tensor, right: Tensor, ignored: Tensor) -> Tensor:
    """Symmetric cross entropy between what is similar and what is right.

    Args:
        images: (B, D) L2-normalized.
        texts: (C, D) L2-normalized, one caption for each concept of the batch.
        scale: factor on the cosine.
        right: (B, C) rows sum to 1.
        ignored: (B, C) bool, pairs that count neither way.
    """
    logits = (scale * images @ texts.T).masked_fill(ignored, -1e4)
    by_image = cross_entropy(logits, right)
    said = right.sum(dim=0)
    targets = right / said.clamp(min=1e-6)
    by_text = -(targets * logits.log_softmax(dim=0)).sum(dim=0)
    return (by_image + by_text.sum() / (said > 0).sum()) / 2


def disagreement(logits: Tensor, views: int) -> Tensor:
    """How far the shares of several views of the same holds lie from their mean: mean Kullback-Leibler divergence.

    Args:
        logits: (views * N, P), the same N holds again and again.
        views: how often.
    """
    logs = logits.log_softmax(dim=1).unflatten(0, (views, -1))
    mean = logs.exp().mean(dim=0).clamp(min=1e-6).log()
    return (logs.exp() * (logs - mean)).sum(dim=2).mean()
