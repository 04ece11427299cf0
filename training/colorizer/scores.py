"""How often the model names a labeled crop right, overall and by name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from colorizer.palette import PROMPT
from numpy.typing import NDArray

from training.colorizer import towers
from training.colorizer.cache import CACHE, ColorLabel, load_lights
from training.colorizer.captions import PALETTE
from training.colorizer.crops import HoldCrop
from training.colorizer.views import prepared


@dataclass(frozen=True, slots=True)
class ColorScore:
    """Shares of right names; a crop's `alt` counts as right."""

    top1: float
    by_name: dict[str, tuple[float, int]]
    confusions: Counter[str]
    expected_calibration_error: float


def summarize(labels: Sequence[ColorLabel], shares: NDArray[np.float32]) -> ColorScore:
    """Score softmax shares (N, 15) against what people wrote."""
    names = list(PALETTE)
    predicted = [names[i] for i in shares.argmax(axis=1)]
    right = right_names(predicted, labels)
    by_name: dict[str, list[bool]] = defaultdict(list)
    for label, ok in zip(labels, right, strict=True):
        by_name[label.color].append(bool(ok))
    wrong = Counter(f"{x.color} -> {p}" for x, p, ok in zip(labels, predicted, right, strict=True) if not ok)
    scores = {name: (float(np.mean(by_name[name])), len(by_name[name])) for name in names if by_name[name]}
    return ColorScore(float(right.mean()), scores, wrong, calibration_error(shares.max(axis=1), right))


def right_names(predicted: Sequence[str], labels: Sequence[ColorLabel]) -> NDArray[np.bool_]:
    """(N,) whether each name is the label's, or its `alt`."""
    return np.array([name in (label.color, label.alt) for name, label in zip(predicted, labels, strict=True)], np.bool_)


def calibration_error(confidences: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: the mean gap between confidence and accuracy over equally wide bins."""
    slots = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = [abs(confidences[slots == b].mean() - right[slots == b].mean()) * (slots == b).mean() for b in set(slots)]
    return float(np.sum(gaps))


@torch.no_grad()
def palette_embeddings(model: towers.Clip) -> torch.Tensor:
    """(15, D) text embeddings of the palette's prompts."""
    return towers.encode_captions(model, [PROMPT.format(name) for name in PALETTE])


@torch.no_grad()
def shares_of(model: towers.Clip, crops: Sequence[HoldCrop], side_px: int) -> NDArray[np.float32]:
    """(N, 15) softmax shares of the palette's names."""
    images = towers.encode_all_crops(model, prepared(crops, side_px, lights=load_lights(CACHE / "lights.npz")))
    logits = model.logit_scale.exp().item() * images @ palette_embeddings(model).T
    return np.asarray(logits.softmax(dim=1).numpy())


def evaluate(model: towers.Clip, pairs: Sequence[tuple[HoldCrop, ColorLabel]], side_px: int) -> ColorScore:
    """Score the model on labeled crops with their GrabCut masks."""
    return summarize([label for _, label in pairs], shares_of(model, [crop for crop, _ in pairs], side_px))
