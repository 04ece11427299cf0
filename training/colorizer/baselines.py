"""What the CLIP has to beat: an SVM on Lab percentiles of the eroded core.

Run with `python -m training.colorizer.baselines`; prints one line for each split.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
from colorizer.pipeline import core_of
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from training.colorizer.crops import HoldCrop
from training.colorizer.train import DEV, HeldOut, Labeled, split
from training.colorizer.views import box_and_mask

PERCENTILES = (15, 50, 85)
PENALTY = 3
"""The SVM's C, the best of 1, 3, 10, 30 and 100 on dev: the baseline gets the benefit of the doubt."""

SPLITS: tuple[HeldOut, ...] = (DEV, ("a",), ("b",), ("A_brickblue",), ("B_plywood",))


def lab_percentiles(crop: HoldCrop) -> NDArray[np.float64]:
    """(9,) the 15th, 50th and 85th percentile of L, a and b in the hold's core."""
    rgb, mask = box_and_mask(crop)
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(np.percentile(lab[core_of(mask)], PERCENTILES, axis=0).ravel())


def svm_top1(learns: list[Labeled], scored: list[Labeled]) -> float:
    """Share of right names, `alt` counted as right."""
    machine = make_pipeline(StandardScaler(), SVC(C=PENALTY))
    machine.fit([lab_percentiles(crop) for crop, _ in learns], [label.color for _, label in learns])
    found = machine.predict([lab_percentiles(crop) for crop, _ in scored])
    return float(np.mean([name in (label.color, label.alt) for name, (_, label) in zip(found, scored, strict=True)]))


def main() -> int:
    """Score the SVM on dev, across folds, and on gyms it has not seen."""
    for hold_out in SPLITS:
        learns, scored = split(hold_out)
        top1 = svm_top1(learns, scored)
        print(f"{' '.join(hold_out):12} {len(learns):4d} learnt {len(scored):4d} scored  svm {top1:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
