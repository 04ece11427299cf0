"""Score the shipped files on the dev crops: right names, calibration, other views of a hold, other lamps.

Run with `python -m training.colorizer.evaluate`; also draws the confusion matrix of docs/models.md.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from visionkit.light import NEUTRAL, Light, balanced, estimate

from training.colorizer.cache import CACHE, load_lights, read_rgb
from training.colorizer.captions import PALETTE
from training.colorizer.scores import right_names, summarize
from training.colorizer.served import MODELS, served_shares
from training.colorizer.train import DEV, SIDE_PX, Labeled, split
from training.colorizer.views import VIEWS, prepared
from training.photos import data_dir

PICTURE = Path("docs/confusion.png")
LAMPS = {
    "as photographed": NEUTRAL, "a little warm": Light(0.2, -0.3), "warm": Light(0.4, -0.6),
    "tungsten": Light(0.6, -0.9), "cool": Light(-0.3, 0.5), "greenish": Light(-0.2, -0.2), "pinkish": Light(0.2, 0.2),
}  # fmt: skip
"""What the photos are lit with for a trial."""


def under(lamp: Light, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels as they would be under a lamp that the camera does not balance."""
    return balanced(rgb, Light(-lamp.red, -lamp.blue))


def top1(pairs: Sequence[Labeled], lights: Mapping[str, Light]) -> float:
    """Share of right names when each photo's light is taken for this."""
    shares = served_shares(MODELS, prepared([crop for crop, _ in pairs], SIDE_PX, lights=lights))
    names = [list(PALETTE)[i] for i in shares.argmax(axis=1)]
    return float(right_names(names, [label for _, label in pairs]).mean())


def print_lamps(dev: Sequence[Labeled]) -> None:
    """How right names are under other lamps, without and with the photo's light."""
    photos = {crop.photo: read_rgb(data_dir() / "dev/images" / crop.photo) for crop, _ in dev}
    for title, lamp in LAMPS.items():
        lit = [(replace(crop, rgb=under(lamp, crop.rgb)), label) for crop, label in dev]
        lights = {photo: estimate(under(lamp, rgb)) for photo, rgb in photos.items()}
        print(f"  {title:16} without the light {top1(lit, {}):.3f}, with it {top1(lit, lights):.3f}")


def draw_confusions(labels: Sequence[str], names: Sequence[str], path: Path) -> None:
    """A picture: a row for each label, a column for each answer, the number of holds in each cell."""
    colors = [name for name in PALETTE if name in labels or name in names]
    counts = np.zeros((len(colors), len(colors)), int)
    for label, name in zip(labels, names, strict=True):
        counts[colors.index(label), colors.index(name)] += 1
    mpl.use("Agg")
    figure, axes = plt.subplots(figsize=(6.4, 6), dpi=100)
    axes.imshow(counts / counts.sum(axis=1, keepdims=True).clip(min=1), cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        dark = counts[row, column] > 0.6 * counts[row].sum()
        axes.text(
            column, row, str(counts[row, column]), ha="center", va="center", color="w" if dark else "k", fontsize=8
        )
    axes.set_xticks(range(len(colors)), colors, rotation=60)
    axes.set_yticks(range(len(colors)), colors)
    axes.set_xlabel("answered")
    axes.set_ylabel("labeled")
    figure.tight_layout()
    figure.savefig(path)


def main() -> int:
    """Print the tables of docs/models.md."""
    _, dev = split(DEV)
    crops, labels = [crop for crop, _ in dev], [label for _, label in dev]
    lights = load_lights(CACHE / "lights.npz")
    shares = served_shares(MODELS, prepared(crops, SIDE_PX, lights=lights))
    score = summarize(labels, shares)
    print(f"{len(dev)} crops: top1 {score.top1:.3f}, calibration error {score.expected_calibration_error:.3f}")
    for name, (right, count) in score.by_name.items():
        print(f"  {name:7} {right:.3f} of {count}")
    print("wrong:", ", ".join(f"{pair} {count}" for pair, count in score.confusions.most_common()))
    best = shares.argmax(axis=1)
    for title, view in VIEWS.items():
        found = served_shares(MODELS, prepared(crops, SIDE_PX, lights=lights, view=view)).argmax(axis=1)
        hits = right_names([list(PALETTE)[i] for i in found], labels)
        print(f"  {title:22} same name {np.mean(found == best):.3f}, top1 {hits.mean():.3f}")
    print_lamps(dev)
    names = [list(PALETTE)[i] for i in best]
    meant = [n if n in (x.color, x.alt) else x.color for n, x in zip(names, labels, strict=True)]
    draw_confusions(meant, names, PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
