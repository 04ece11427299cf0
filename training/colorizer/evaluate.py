"""Score the shipped files on the dev crops: right names, calibration, and whether turning a hold changes its name.

Run with `python -m training.colorizer.evaluate`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from colorizer.pipeline import core_of, prepare_crop
from numpy.typing import NDArray

from training.colorizer.augment import Mask, Rgb, as_jpeg
from training.colorizer.captions import PALETTE
from training.colorizer.export import MODELS, served_shares
from training.colorizer.scores import box_and_mask, right_names, summarize
from training.colorizer.train import SIDE_PX, Labeled, split

View = Callable[[Rgb, Mask], tuple[Rgb, Mask]]


def scaled(rgb: Rgb, mask: Mask, factor: float) -> tuple[Rgb, Mask]:
    """The hold in fewer or more pixels, at least 4 by 4."""
    size = max(4, round(rgb.shape[1] * factor)), max(4, round(rgb.shape[0] * factor))
    small = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    resized = np.asarray(
        cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR), np.uint8
    )
    return (resized, small) if small.any() else (rgb, mask)


VIEWS: dict[str, View] = {
    "flipped left to right": lambda rgb, mask: (rgb[:, ::-1], mask[:, ::-1]),
    "upside down": lambda rgb, mask: (rgb[::-1], mask[::-1]),
    "a quarter turn": lambda rgb, mask: (np.rot90(rgb), np.rot90(mask)),
    "half the size": lambda rgb, mask: scaled(rgb, mask, 0.5),
    "1.5 times the size": lambda rgb, mask: scaled(rgb, mask, 1.5),
    "JPEG at quality 50": lambda rgb, mask: (as_jpeg(rgb, quality=50), mask),
    "box and ellipse only": lambda rgb, mask: (rgb, inscribed(mask)),
}
"""What must not change a name; the last one is no mask at all."""


def inscribed(mask: Mask) -> Mask:
    """An ellipse of 0.8 of the box's sides, whatever the hold's shape."""
    plain = np.zeros(mask.shape, np.uint8)
    height, width = mask.shape
    cv2.ellipse(plain, ((width / 2, height / 2), (0.8 * width, 0.8 * height), 0.0), (1,), thickness=-1)
    return plain.astype(np.bool_)


def seen(pairs: Sequence[Labeled], view: View | None = None) -> NDArray[np.uint8]:
    """(N, S, S, 3) what the network sees of the crops."""
    shown = [box_and_mask(crop) for crop, _ in pairs]
    if view is not None:
        shown = [view(rgb, mask) for rgb, mask in shown]
    return np.stack(
        [prepare_crop(np.ascontiguousarray(rgb), core_of(mask.copy()), SIDE_PX).pixels for rgb, mask in shown]
    )


def main() -> int:
    """Print the tables of docs/models.md."""
    _, dev = split(None)
    labels = [label for _, label in dev]
    _, shares = served_shares(MODELS, seen(dev))
    score = summarize(labels, shares)
    print(f"{len(dev)} crops: top1 {score.top1:.3f}, calibration error {score.expected_calibration_error:.3f}")
    for name, (right, count) in score.by_name.items():
        print(f"  {name:7} {right:.3f} of {count}")
    print("wrong:", ", ".join(f"{pair} {count}" for pair, count in score.confusions.most_common()))
    names = shares.argmax(axis=1)
    for title, view in VIEWS.items():
        _, other = served_shares(MODELS, seen(dev, view))
        found = other.argmax(axis=1)
        hits = right_names([list(PALETTE)[i] for i in found], labels)
        print(f"  {title:22} same name {np.mean(found == names):.3f}, top1 {hits.mean():.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
