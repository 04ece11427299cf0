"""Train variants on the same budget and score each on a gym that it has not seen, and on dev photos of the others.

Run with `python -m training.colorizer.compare` for all variants, or with their names; prints two lines for each run and
writes what each network answered to `training/runs/compare`.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.colorizer import pairs, towers
from training.colorizer.augment import Recipe
from training.colorizer.cache import CACHE, load_lights
from training.colorizer.captions import PALETTE
from training.colorizer.samples import Mix
from training.colorizer.scores import palette_embeddings, right_names
from training.colorizer.train import DEV, SIDE_PX, HeldOut, Labeled, Plan, best_device, fit, split
from training.colorizer.views import VIEWS, prepared

GYMS = ("B_plywood", "A_brickblue")
NO_MASK = "box and ellipse only"

BASE = Plan(mix=Mix(batch=512))
VARIANTS: dict[str, Plan] = {
    "base": BASE,
    "vit": dataclasses.replace(BASE, tower="climbmate-clip-vit"),
    "convnext": dataclasses.replace(BASE, tower="climbmate-clip-convnext"),
    "rendered": dataclasses.replace(BASE, mix=Mix(512, 0.4, 0.25, rendered=0.15)),
    "agreement": dataclasses.replace(BASE, mix=Mix(512, views=2), agreement=1.0),
    "light x2": dataclasses.replace(BASE, recipe=Recipe(light=2.0)),
    "light x3": dataclasses.replace(BASE, recipe=Recipe(light=3.0)),
    "unbalanced": dataclasses.replace(BASE, balanced=False),
    "no light": dataclasses.replace(BASE, recipe=Recipe(light=0.0)),
    "no survey": dataclasses.replace(BASE, mix=Mix(512, 0.6, 0.4)),
    "no recoloring": dataclasses.replace(BASE, mix=Mix(512, 1.0, 0.0)),
    "right masks only": dataclasses.replace(BASE, recipe=Recipe(wrong_masks=False)),
    "no erosion": dataclasses.replace(BASE, recipe=Recipe(erode=False)),
}


@functools.cache
def views_of(hold_out: HeldOut, *, erode: bool, balanced: bool) -> dict[str, NDArray[np.uint8]]:
    """(N, S, S, 3) what the service shows of the crops that are scored, in every view."""
    crops = [crop for crop, _ in split(hold_out)[1]]
    lights = load_lights(CACHE / "lights.npz") if balanced else {}
    views = {"plain": None, **VIEWS}
    return {name: prepared(crops, SIDE_PX, lights=lights, view=view, erode=erode) for name, view in views.items()}


def cosines_of(model: towers.Clip, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, P) cosines with the palette's prompts."""
    with torch.no_grad():
        return np.asarray((towers.encode_all_crops(model, pixels) @ palette_embeddings(model).T).numpy())


def summary(scored: Sequence[Labeled], cosines: Mapping[str, NDArray[np.float32]], rows: NDArray[np.int64]) -> str:
    """What a network's cosines in every view say about some of the crops."""
    names = {view: [list(PALETTE)[i] for i in found[rows].argmax(axis=1)] for view, found in cosines.items()}
    labels = [scored[row][1] for row in rows]
    right = {view: right_names(found, labels).mean() for view, found in names.items()}
    same = {view: np.mean(np.array(found) == names["plain"]) for view, found in names.items()}
    together = pairs.within([scored[row][0].photo for row in rows])
    f1 = pairs.f1(together.same(names["plain"]), together.same([label.color for label in labels]))
    return (
        f"right {right['plain']:.3f}, pair_f1 {f1:.3f}, without mask {right[NO_MASK]:.3f}; "
        f"same name at half size {same['half the size']:.3f}, as JPEG {same['JPEG at quality 50']:.3f}"
    )


def compare(name: str, plan: Plan, device: torch.device, out: Path) -> None:
    """Train one variant, score it on the gym it never saw and on other photos of known gyms, keep its answers."""
    model = fit(plan, device)
    scored = split(plan.hold_out)[1]
    seen = views_of(plan.hold_out, erode=plan.recipe.erode, balanced=plan.balanced)
    cosines = {view: cosines_of(model, pixels) for view, pixels in seen.items()}
    strange = np.array([label.gym in plan.hold_out for _, label in scored])
    for title, group in (("unseen gym", strange), ("known gyms", ~strange)):
        print(f"{name:16} {title} ({group.sum()}): {summary(scored, cosines, np.flatnonzero(group))}", flush=True)
    stem = f"{name.replace(' ', '-')}.{'-'.join(plan.hold_out)}.{plan.seed}"
    towers.save(model, plan.tower, out / f"{stem}.pt")
    answers: dict[str, Any] = {"scale": model.logit_scale.exp().item(), **cosines}
    np.savez_compressed(out / f"{stem}.npz", **answers)


def main() -> int:
    """Compare the variants that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(VARIANTS), metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--gyms", nargs="+", default=GYMS, help="the gyms to hold out, one after the other")
    parser.add_argument("--seconds", type=float, default=0, help="train for this long instead of a number of steps")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default=best_device())
    parser.add_argument("--out", type=Path, default=Path("training/runs/compare"))
    args = parser.parse_args()
    for name in args.names:
        plan = VARIANTS[name]
        mix = dataclasses.replace(plan.mix, batch=args.batch)
        for gym in args.gyms:
            hold_out = (*DEV, gym)
            run = dataclasses.replace(
                plan, steps=args.steps, seconds=args.seconds, hold_out=hold_out, mix=mix, seed=args.seed
            )
            compare(name, run, torch.device(args.device), args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
