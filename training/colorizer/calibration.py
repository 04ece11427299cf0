"""The served temperature: confidences that are right as often as they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from colorizer.pipeline import core_of, prepare_crop
from numpy.typing import NDArray

from training.colorizer import towers
from training.colorizer.augment import photographed
from training.colorizer.cache import ColorLabel
from training.colorizer.captions import PALETTE
from training.colorizer.crops import HoldCrop
from training.colorizer.scores import palette_embeddings, right_names

SCALES = np.geomspace(5, 200, 60)
VIEWS = 3
"""Differently lit and masked versions of each crop."""


@torch.no_grad()
def calibrated_scale(model: towers.Clip, pairs: Sequence[tuple[HoldCrop, ColorLabel]], side_px: int) -> float:
    """The logit scale under which the best name's share best predicts whether that name is right.

    Fitted by the likelihood of right and wrong on crops as the augmentation shows them. A temperature is one number, so
    the crops that the model was trained on will do; dev stays untouched.
    """
    rng = np.random.default_rng(0)
    views = [(photographed(crop, None, rng), label) for crop, label in pairs for _ in range(VIEWS)]
    pixels = np.stack([prepare_crop(rgb, core_of(mask), side_px).pixels for (rgb, mask), _ in views])
    cosines = (towers.encode_all_crops(model, pixels) @ palette_embeddings(model).T).numpy()
    names = [list(PALETTE)[i] for i in cosines.argmax(axis=1)]
    right = right_names(names, [label for _, label in views])
    return float(min(SCALES, key=lambda scale: surprise(cosines, right, scale)))


def surprise(cosines: NDArray[np.float32], right: NDArray[np.bool_], scale: float) -> float:
    """Mean negative log likelihood of right and wrong under the best name's softmax share."""
    shares = np.exp(scale * (cosines - cosines.max(axis=1, keepdims=True)))
    best = np.clip(1 / shares.sum(axis=1), 1e-6, 1 - 1e-6)
    return float(-np.where(right, np.log(best), np.log1p(-best)).mean())
