"""Whether embeddings tell better than names which holds of a photo have one color.

Run with `python -m training.colorizer.grouping`; takes two minutes, nearly all of it GrabCut on every hold of the
labeled photos. For every rule the threshold is the one that is best on train photos.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.colorizer import onnx_files, pairs
from training.colorizer.cache import CACHE, ColorLabel, annotated_holds, load, load_lights
from training.colorizer.served import IMAGE, MODELS, PALETTE_FILE
from training.colorizer.train import SIDE_PX
from training.colorizer.views import prepared

THRESHOLDS = np.arange(0.80, 0.995, 0.01)
TWICE = 0.9995
"""An annotated hold with this cosine to a labeled one is the same hold."""

Floats = NDArray[np.float32]
Same = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Wall:
    """The holds of one photo, the labeled ones first.

    Attributes:
        labels: L labels.
        cosines: (N, N) between the holds' embeddings.
        shares: (N, P) of the palette's names.
    """

    labels: Sequence[ColorLabel]
    cosines: Floats
    shares: Floats

    @property
    def names(self) -> NDArray[np.int64]:
        """(N,) the number of each hold's name."""
        return np.asarray(self.shares.argmax(axis=1))

    def alike(self, threshold: float) -> Same:
        """(N, N) whether two holds have one name or nearly one embedding."""
        return np.asarray((self.names[:, None] == self.names) | (self.cosines > threshold))


def by_name(wall: Wall, _threshold: float) -> Same:
    """Holds of one name."""
    return np.asarray(wall.names[:, None] == wall.names)


def in_chains(wall: Wall, threshold: float) -> Same:
    """Groups in which every hold is like some other one."""
    joined = wall.alike(threshold)
    while (further := joined @ joined).sum() > joined.sum():
        joined = further
    return joined


def by_shared_name(wall: Wall, threshold: float) -> Same:
    """Each hold is named together with those of nearly its embedding."""
    names = ((wall.cosines > threshold).astype(np.float32) @ wall.shares).argmax(axis=1)
    return np.asarray(names[:, None] == names)


RULES: dict[str, Callable[[Wall, float], Same]] = {
    "the same name": by_name,
    "pair by pair: the same name, or cosine": Wall.alike,
    "groups: chains of these": in_chains,
    "groups: a name shared by all above cosine": by_shared_name,
}


def walls(folder: str) -> Iterator[Wall]:
    """The photos of a set that have labels, with all their holds."""
    crops, labels = load(CACHE / "labeled.npz")
    lights = load_lights(CACHE / "lights.npz")
    with np.load(MODELS / PALETTE_FILE) as palette:
        prompts, scale = palette["embeddings"], float(palette["logit_scale"])
    for photo in sorted({crop.photo for crop, label in zip(crops, labels, strict=True) if label.set == folder}):
        rows = [row for row, crop in enumerate(crops) if crop.photo == photo]
        seen = prepared([crops[row] for row in rows] + list(annotated_holds(folder, photo)), SIDE_PX, lights=lights)
        embeddings = onnx_files.answers(MODELS / IMAGE, seen)
        again = (embeddings[len(rows) :] @ embeddings[: len(rows)].T > TWICE).any(axis=1)
        embeddings = np.concatenate((embeddings[: len(rows)], embeddings[len(rows) :][~again]))
        weights = np.exp(scale * (embeddings @ prompts.T - 1))
        shares = weights / weights.sum(axis=1, keepdims=True)
        yield Wall([labels[row] for row in rows], embeddings @ embeddings.T, shares)


def pair_f1(found: Sequence[Wall], rule: Callable[[Wall, float], Same], threshold: float) -> float:
    """Over all pairs of labeled holds."""
    same, true = [], []
    for wall in found:
        colors = np.array([label.color for label in wall.labels])
        one, other = np.triu_indices(len(colors), 1)
        same.append(rule(wall, threshold)[one, other])
        true.append(colors[one] == colors[other])
    return pairs.f1(np.concatenate(same), np.concatenate(true))


def main() -> int:
    """Print a line for each rule."""
    cv2.setNumThreads(1)
    train, dev = list(walls("train")), list(walls("dev"))
    for title, rule in RULES.items():
        best = max(THRESHOLDS, key=lambda threshold: pair_f1(train, rule, threshold))
        scores = f"train {pair_f1(train, rule, best):.3f}, dev {pair_f1(dev, rule, best):.3f}"
        print(f"{title:42} {'' if rule is by_name else f'{best:.2f}':4} {scores}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
