"""Train the color CLIP from scratch.

Run with `python -m training.colorizer.train --steps 2000 --out training/runs/color-clip/checkpoint.pt`.
"""

from __future__ import annotations

import argparse
import copy
import functools
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from visionkit.light import gains

from training.colorizer import canvases, objective, towers
from training.colorizer.augment import Recipe
from training.colorizer.cache import CACHE, ColorLabel, load, load_lights, photos_of
from training.colorizer.canvases import Canvases, stretched
from training.colorizer.captions import PALETTE, Concept, concepts
from training.colorizer.chance import Dice
from training.colorizer.crops import HoldCrop
from training.colorizer.phrases import Phrasebook
from training.colorizer.samples import Batch, Mix, Named, Source
from training.colorizer.scores import evaluate

Labeled = tuple[HoldCrop, ColorLabel]
HeldOut = tuple[str, ...]

DEV: HeldOut = ("dev",)

SIDE_PX = 64
MAX_SCALE = 60.0
AVERAGING = 0.997
REPORT_EVERY = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """One training run.

    Attributes:
        tower: name of an open_clip config beside this file.
        steps: how many batches.
        seconds: instead of `steps`, how long; 0 for as long as the steps take.
        rate: peak learning rate.
        agreement: weight of the loss that wants two views of a hold to be named alike; takes a mix of two views.
        balanced: whether each photo's light is taken out first.
        hold_out: sets, folds and gyms whose labels are left out and scored on.
        seed: of weights and samples.
    """

    tower: str = towers.NAME
    steps: int = 2000
    seconds: float = 0.0
    rate: float = 2e-3
    agreement: float = 0.0
    balanced: bool = True
    hold_out: HeldOut = DEV
    seed: int = 0
    mix: Mix = field(default_factory=Mix)
    recipe: Recipe = field(default_factory=Recipe)


@dataclass(frozen=True, slots=True)
class Stock:
    """All holds that there are, labeled, rendered and others; `photos` are the others'."""

    labeled: list[Labeled]
    labeled_holds: Canvases
    rendered: Named
    others: Canvases
    photos: list[str]


@functools.cache
def stock(*, balanced: bool) -> Stock:
    """Read the cache once; with each photo's light, or without."""
    crops, labels = load(CACHE / "labeled.npz")
    rendered, names = load(CACHE / "rendered.npz")
    others, photos = canvases.load(CACHE / "holds.npz")
    pairs = list(zip(crops, labels, strict=True))
    labeled_holds, rendered_holds = stretched(crops), stretched(rendered)
    if balanced:
        labeled_holds = labeled_holds.under(gains_of([crop.photo for crop in crops]))
        rendered_holds = rendered_holds.under(gains_of([crop.photo for crop in rendered]))
        others = others.under(gains_of(photos))
    return Stock(pairs, labeled_holds, Named(rendered_holds, names), others, photos)


def gains_of(photos: Sequence[str]) -> Tensor:
    """(N, 3) what takes the light of each photo out."""
    lights = load_lights(CACHE / "lights.npz")
    return torch.from_numpy(np.stack([gains(lights[photo]) for photo in photos]))


def learned(label: ColorLabel, hold_out: HeldOut) -> bool:
    """Whether a labeled crop is trained on; else it is scored."""
    return not {label.set, label.fold, label.gym} & set(hold_out)


def split(hold_out: HeldOut) -> tuple[list[Labeled], list[Labeled]]:
    """Labeled crops to train on and to score on."""
    pairs = list(zip(*load(CACHE / "labeled.npz"), strict=True))
    return (
        [pair for pair in pairs if learned(pair[1], hold_out)],
        [pair for pair in pairs if not learned(pair[1], hold_out)],
    )


def source_of(plan: Plan, known: Sequence[Concept], dice: Dice) -> Source:
    """Everything that the plan may be trained on: nothing of a held-out gym, and no photo whose labels are scored."""
    have = stock(balanced=plan.balanced)
    learns = [learned(label, plan.hold_out) for _, label in have.labeled]
    unseen = set().union(*(photos_of("gym", gym) for gym in plan.hold_out))
    unseen |= {crop.photo for (crop, _), learn in zip(have.labeled, learns, strict=True) if not learn}
    labels = [label for (_, label), learn in zip(have.labeled, learns, strict=True) if learn]
    others = have.others[torch.tensor([photo not in unseen for photo in have.photos])]
    labeled = Named(have.labeled_holds[torch.tensor(learns)], labels)
    return Source(
        labeled, have.rendered, others, concepts=known, mix=plan.mix, recipe=plan.recipe, side_px=SIDE_PX, dice=dice
    )


def optimizer_of(model: towers.Clip) -> torch.optim.Optimizer:
    """AdamW; norms, biases, embeddings and the temperature are not decayed."""
    decayed = [p for n, p in model.named_parameters() if p.ndim >= 2 and "embedding" not in n]
    rest = [p for n, p in model.named_parameters() if p.ndim < 2 or "embedding" in n]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0}]
    return torch.optim.AdamW(groups, fused=True)


def warmth(share: float) -> float:
    """Learning rate as a share of its peak: a linear warm-up over 5 % of the run, then a half cosine to 1 %."""
    if share < 0.05:
        return share / 0.05
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (min(share, 1) - 0.05) / 0.95))


def centers_of(known: Sequence[Concept]) -> Tensor:
    """(C, 3) OKLab of the concepts, NaN for palette names."""
    return torch.tensor(np.array([np.full(3, np.nan) if c.oklab is None else c.oklab for c in known], np.float32))


def loss_of(model: towers.Clip, batch: Batch, tokens: Tensor, centers: Tensor, plan: Plan) -> Tensor:
    """The loss of one batch with one caption (C, L) for each of its concepts."""
    texts = towers.encode_tokens(model, tokens)
    images = towers.encode_crops(model, batch.crops)
    ignored = objective.left_out(batch.right, batch.oklab, batch.named, centers[batch.concepts])
    scale = model.logit_scale.exp().clamp(max=MAX_SCALE)
    loss = objective.contrastive(images, texts, scale, batch.right, ignored)
    if plan.agreement:
        logits = scale * images @ texts[: len(PALETTE)].T
        loss = loss + plan.agreement * objective.disagreement(logits, plan.mix.views)
    return loss


class Average:
    """The moving average of a model's weights and norm statistics; it follows quickly at first, then slowly."""

    def __init__(self, model: towers.Clip) -> None:
        """Start as a copy."""
        self.model = copy.deepcopy(model)
        pairs = list(zip(self.model.state_dict().values(), model.state_dict().values(), strict=True))
        self._means = [mean for mean, _ in pairs if mean.is_floating_point()]
        self._values = [value for _, value in pairs if value.is_floating_point()]

    @torch.no_grad()
    def follow(self, count: int) -> None:
        """Move a step towards the model, as it is after `count` steps."""
        torch._foreach_lerp_(self._means, self._values, max(1 - AVERAGING, 9 / (10 + count)))


def fit(plan: Plan, device: torch.device, scored: Sequence[Labeled] | None = None) -> towers.Clip:
    """Train by a plan and return the averaged model; where crops to score on are given, tell the progress."""
    torch.manual_seed(plan.seed)
    torch.set_float32_matmul_precision("high")
    dice, known = Dice(device, plan.seed), concepts()
    source, phrases = source_of(plan, known, dice), Phrasebook(known, dice)
    model = started(plan, phrases.used).train().to(device, memory_format=torch.channels_last)
    average, optimizer, centers = Average(model), optimizer_of(model), centers_of(known).to(device)
    start_s, count, share = time.monotonic(), 0, 0.0
    while share < 1:
        count += 1
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * warmth(share)
        batch = source.draw()
        loss = loss_of(model, batch, phrases.say(batch.concepts), centers, plan)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.follow(count)
        share = (time.monotonic() - start_s) / plan.seconds if plan.seconds else count / plan.steps
        if scored and (count % REPORT_EVERY == 0 or share >= 1):
            report(average.model.eval(), scored, count, loss.item())
    print(f"{count} steps, {count * plan.mix.batch / (time.monotonic() - start_s):.0f} crops a second", flush=True)
    return average.model.eval()


def started(plan: Plan, used_tokens: Tensor) -> towers.Clip:
    """A fresh model. Tokens that no caption uses stand for nothing, so that strange words do not add noise."""
    model = towers.build(plan.tower)
    table = model.text.token_embedding.weight
    unused = torch.ones(len(table), dtype=torch.bool)
    unused[used_tokens.cpu()] = False
    table.data[unused] = 0
    return model


def report(model: towers.Clip, scored: Sequence[Labeled], count: int, loss: float) -> None:
    """Print one line of progress."""
    score, scale = evaluate(model, scored, SIDE_PX), model.logit_scale.exp().item()
    print(
        f"step {count:5d}  loss {loss:.3f}  scale {scale:.1f}  "
        f"top1 {score.top1:.3f}  calibration error {score.expected_calibration_error:.3f}",
        flush=True,
    )


def best_device() -> str:
    """A GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def main() -> int:
    """Train by the command line and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tower", default=towers.NAME, help="name of an open_clip config beside this file")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument(
        "--hold-out", nargs="+", default=DEV, help="sets, folds and gyms to score on; the rest trains (default: dev)"
    )
    parser.add_argument("--device", default=best_device())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("training/runs/color-clip/checkpoint.pt"))
    args = parser.parse_args()
    plan = Plan(args.tower, args.steps, hold_out=tuple(args.hold_out), seed=args.seed, mix=Mix(batch=args.batch))
    model = fit(plan, torch.device(args.device), split(plan.hold_out)[1])
    towers.save(model, plan.tower, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
