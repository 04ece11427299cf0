"""An endless stream of training batches: labeled holds, holds re-colored to a labeled one, holds in survey colors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from colorizer.pipeline import core_of, prepare_crop
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from training.colorizer.augment import photographed
from training.colorizer.cache import ColorLabel
from training.colorizer.captions import PALETTE, Concept
from training.colorizer.crops import HoldCrop
from training.colorizer.recolor import to_linear, to_oklab

ALT_SHARE = 0.25
"""How much of a crop's caption weight goes to its second right name."""

BALANCE = 0.6
"""Names are drawn with their frequency to the power of 1 - this: 0 keeps the photos' mix, 1 makes all equal."""

TARGET_SPREAD = np.array([0.03, 0.012, 0.012], np.float32)
"""Standard deviation in OKLab around a labeled color when it is given to another hold."""


Row = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32], bool]


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of a batch; the rest are holds in survey colors."""

    batch: int = 128
    labeled: float = 0.45
    recolored: float = 0.35


@dataclass(frozen=True, slots=True)
class Batch:
    """One training batch.

    Attributes:
        crops: (B, S, S, 3) uint8, as the service prepares them.
        right: (B, C) float32, how right each concept is; rows sum to 1.
        oklab: (B, 3) float32, the hold's color before light and camera.
        named: (B,) bool, whether the row knows its palette name.
    """

    crops: Tensor
    right: Tensor
    oklab: Tensor
    named: Tensor


class HoldStream(IterableDataset[Batch]):
    """Draws batches for ever; every worker needs a seed of its own, which torch gives it."""

    def __init__(
        self,
        labeled: Sequence[tuple[HoldCrop, ColorLabel]],
        others: Sequence[HoldCrop],
        concepts: Sequence[Concept],
        side_px: int,
        mix: Mix,
    ) -> None:
        """Keep references to the crops; nothing is copied until a batch is drawn."""
        self._labeled, self._others, self._side_px, self._mix = labeled, others, side_px, mix
        self._count = len(concepts)
        self._survey = [(i, c.oklab, c.palette) for i, c in enumerate(concepts) if c.oklab is not None]
        self._colors = np.stack([median_oklab(crop) for crop, _ in labeled])
        self._right = np.stack([self._label_weights(label) for _, label in labeled])
        self._chances = balanced([label.color for _, label in labeled])

    def _label_weights(self, label: ColorLabel) -> NDArray[np.float32]:
        weights = np.zeros(self._count, np.float32)
        names = list(PALETTE)
        weights[names.index(label.color)] = 1 - ALT_SHARE if label.alt else 1
        if label.alt:
            weights[names.index(label.alt)] = ALT_SHARE
        return weights

    def __iter__(self) -> Iterator[Batch]:
        """Draw batches; OpenCV stays on one thread in a worker."""
        cv2.setNumThreads(1)
        rng = np.random.default_rng(torch.initial_seed() % 2**32)
        while True:
            rows = [self._draw(rng) for _ in range(self._mix.batch)]
            crops, right, oklab, named = zip(*rows, strict=True)
            yield Batch(
                torch.from_numpy(np.stack(crops)), torch.from_numpy(np.stack(right)),
                torch.from_numpy(np.stack(oklab)), torch.tensor(named),
            )  # fmt: skip

    def _draw(self, rng: np.random.Generator) -> Row:
        """One row of a batch."""
        chance, row = rng.random(), int(rng.choice(len(self._labeled), p=self._chances))
        if chance < self._mix.labeled:
            pixels = self._shown(self._labeled[row][0], None, rng)
            return pixels, self._right[row], self._colors[row], True
        canvas = self._others[int(rng.integers(len(self._others)))]
        if chance < self._mix.labeled + self._mix.recolored:
            color = (self._colors[row] + rng.normal(0, 1, 3) * TARGET_SPREAD).astype(np.float32)
            return self._shown(canvas, color, rng), self._right[row], color, True
        index, color, basic = self._survey[int(rng.integers(len(self._survey)))]
        right = np.zeros(self._count, np.float32)
        right[[index] if basic is None else [index, basic]] = 1
        return self._shown(canvas, color, rng), right / right.sum(), color, basic is not None

    def _shown(self, crop: HoldCrop, target: NDArray[np.float32] | None, rng: np.random.Generator) -> NDArray[np.uint8]:
        rgb, mask = photographed(crop, target, rng)
        return prepare_crop(rgb, core_of(mask), self._side_px).pixels


def median_oklab(crop: HoldCrop) -> NDArray[np.float32]:
    """(3,) OKLab in the middle of a hold's core."""
    x0, y0, x1, y1 = crop.box
    rgb, mask = crop.rgb[y0:y1, x0:x1], crop.mask[y0:y1, x0:x1]
    return np.median(to_oklab(to_linear(rgb[core_of(mask)])), axis=0).astype(np.float32)


def balanced(names: Sequence[str]) -> NDArray[np.float64]:
    """Chances of drawing each row so that rare names come up more often than they occur."""
    counts = {name: names.count(name) for name in set(names)}
    chances = np.array([counts[name] ** -BALANCE for name in names])
    return np.asarray(chances / chances.sum())
