"""The served temperature, so that confidences are right as often as they say, and the entry in the manifest.

Run with `python -m training.colorizer.calibration` after the shipped files have changed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.colorizer import onnx_files, towers
from training.colorizer.cache import CACHE, ColorLabel, load_lights
from training.colorizer.captions import PALETTE
from training.colorizer.manifest import ModelTable, enter
from training.colorizer.scores import calibration_error, right_names
from training.colorizer.served import IMAGE, MODELS, PALETTE_FILE, TEXT, VOCABULARY
from training.colorizer.train import DEV, SIDE_PX, split
from training.colorizer.views import VIEWS, prepared

VERSION = "0.2.0"
SCALES = np.geomspace(5, 200, 120)
MIN_CONFIDENCE = 1 / 3
"""Below this the answer is `unknown`: a wrong name is taken to cost half of what a right one is worth."""

FOLDS = ("a", "b")


@dataclass(frozen=True, slots=True)
class Answers:
    """Cosines (N, P) with the palette, and whether the best name is right (N,)."""

    cosines: NDArray[np.float32]
    right: NDArray[np.bool_]

    def __getitem__(self, rows: NDArray[np.bool_]) -> Answers:
        """Some of them."""
        return Answers(self.cosines[rows], self.right[rows])

    def shares(self, scale: float) -> NDArray[np.float32]:
        """(N,) softmax share of the best name."""
        weights = np.exp(scale * (self.cosines - self.cosines.max(axis=1, keepdims=True)))
        return np.asarray(1 / weights.sum(axis=1), np.float32)

    def surprise(self, scale: float) -> float:
        """Mean negative log likelihood of right and wrong under the shares."""
        best = np.clip(self.shares(scale), 1e-6, 1 - 1e-6)
        return float(-np.where(self.right, np.log(best), np.log1p(-best)).mean())


def fit(answers: Sequence[Answers]) -> float:
    """The logit scale under which the best names' shares best predict whether they are right."""
    return float(min(SCALES, key=lambda scale: sum(part.surprise(scale) for part in answers)))


def answers_in_all_views(folder: Path, labels: Sequence[ColorLabel]) -> dict[str, Answers]:
    """What the shipped files answer about the dev crops as they are (`plain`) and seen otherwise."""
    crops, lights = [crop for crop, _ in split(DEV)[1]], load_lights(CACHE / "lights.npz")
    with np.load(folder / PALETTE_FILE) as palette:
        prompts = palette["embeddings"]
    answers = {}
    for name, view in {"plain": None, **VIEWS}.items():
        pixels = prepared(crops, SIDE_PX, lights=lights, view=view)
        cosines = onnx_files.answers(folder / IMAGE, pixels) @ prompts.T
        names = [list(PALETTE)[i] for i in cosines.argmax(axis=1)]
        answers[name] = Answers(cosines, right_names(names, labels))
    return answers


def error_across_folds(answers: dict[str, Answers], folds: NDArray[np.str_]) -> float:
    """Calibration error of the plain crops when the scale is fitted to the walls of the other fold."""
    shares = np.empty(len(folds), np.float32)
    for fold in FOLDS:
        scale = fit([part[folds != fold] for part in answers.values()])
        shares[folds == fold] = answers["plain"][folds == fold].shares(scale)
    return calibration_error(shares, answers["plain"].right)


def coverage_curve(answers: Answers, scale: float) -> list[tuple[float, float, float]]:
    """Threshold, share of holds that get a name, and share of wrong names among these, at round coverages."""
    shares = answers.shares(scale)
    order = np.argsort(-shares)
    curve = []
    for coverage in (1.0, 0.99, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7):
        kept = order[: max(1, round(coverage * len(order)))]
        curve.append((float(shares[kept[-1]]), coverage, float(1 - answers.right[kept].mean())))
    return curve


def calibrate(folder: Path) -> None:
    """Fit the scale, write it into the palette, tell the figures, and enter the files into the manifest."""
    labels = [label for _, label in split(DEV)[1]]
    answers = answers_in_all_views(folder, labels)
    scale = fit(list(answers.values()))
    with np.load(folder / PALETTE_FILE) as palette:
        fields = dict(palette) | {"logit_scale": np.float32(scale), "min_confidence": np.float32(MIN_CONFIDENCE)}
    np.savez(folder / PALETTE_FILE, **fields)
    plain, folds = answers["plain"], np.array([label.fold for label in labels])
    error = error_across_folds(answers, folds)
    print(f"scale {scale:.1f}, calibration error {calibration_error(plain.shares(scale), plain.right):.3f}, ", end="")
    print(f"fitted to the other fold's walls {error:.3f}")
    for threshold, coverage, risk in coverage_curve(plain, scale):
        print(f"  from {threshold:.2f} on {coverage:.0%} of the holds get a name, {risk:.1%} of the names are wrong")
    record(folder, {"dev_color_top1": float(plain.right.mean()), "dev_expected_calibration_error": error})


def record(folder: Path, scores: dict[str, float]) -> None:
    """Enter the shipped files into the manifest."""
    data = "Climbing Holds and Volumes v14 (CC BY 4.0), re-colored; color names of this project and of the XKCD survey"
    table = ModelTable(
        name=towers.NAME,
        version=VERSION,
        licence="AGPL-3.0-or-later",
        data=data,
        input=f"crops uint8 (batch, {SIDE_PX}, {SIDE_PX}, 3) RGB, filled outside the eroded mask",
        files={"image": IMAGE, "palette": PALETTE_FILE, "text": TEXT, "vocabulary": VOCABULARY},
        scores=scores,
    )
    enter(folder, table)


def main() -> int:
    """Calibrate the shipped files."""
    calibrate(MODELS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
