"""Train the color CLIP, from scratch or from a checkpoint.

Run with `python -m training.colorizer.train --steps 2000 --out training/runs/color-clip`.
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from training.colorizer import objective, towers
from training.colorizer.cache import CACHE, ColorLabel, load, photos_of
from training.colorizer.captions import Concept, concepts, sentence
from training.colorizer.crops import HoldCrop
from training.colorizer.samples import Batch, HoldStream, Mix
from training.colorizer.scores import evaluate

Labeled = tuple[HoldCrop, ColorLabel]

SIDE_PX = 64
MAX_SCALE = 60.0
AVERAGING = 0.997
REPORT_EVERY = 100


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--start", type=Path, help="checkpoint to go on from")
    parser.add_argument("--out", type=Path, default=Path("training/runs/color-clip"))
    parser.add_argument("--hold-out", help="fold or gym to score on, by default the dev photos; the rest trains")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def split(hold_out: str | None) -> tuple[list[Labeled], list[Labeled]]:
    """Labeled crops to train on and to score on; by default the train photos and the dev photos."""
    learns: list[Labeled] = []
    scored: list[Labeled] = []
    for crop, label in zip(*load(CACHE / "labeled.npz"), strict=True):
        learn = hold_out not in (label.fold, label.gym) if hold_out else label.set == "train"
        (learns if learn else scored).append((crop, label))
    return learns, scored


def optimizer_of(model: towers.Clip) -> torch.optim.Optimizer:
    """AdamW; norms, biases, embeddings and the temperature are not decayed."""
    decayed = [p for n, p in model.named_parameters() if p.ndim >= 2 and "embedding" not in n]
    rest = [p for n, p in model.named_parameters() if p.ndim < 2 or "embedding" in n]
    return torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0}])


def warmth(share: float) -> float:
    """Learning rate as a share of its peak: a linear warm-up over 5 % of the steps, then a half cosine to 1 %."""
    if share < 0.05:
        return share / 0.05
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (share - 0.05) / 0.95))


def centers_of(known: list[Concept]) -> Tensor:
    """(C, 3) OKLab of the concepts, NaN for palette names."""
    return torch.tensor(np.array([np.full(3, np.nan) if c.oklab is None else c.oklab for c in known], np.float32))


def step(model: towers.Clip, batch: Batch, known: list[Concept], centers: Tensor, rng: np.random.Generator) -> Tensor:
    """The loss of one batch; only concepts that occur in it, and the palette, are put into words."""
    used = (batch.right.sum(dim=0) > 0) | centers[:, 0].isnan()
    chosen = torch.nonzero(used).flatten()
    texts = towers.encode_captions(model, [sentence(known[i], rng) for i in chosen.tolist()])
    images = towers.encode_crops(model, batch.crops)
    right = batch.right[:, chosen]
    ignored = objective.left_out(right, batch.oklab, batch.named, centers[chosen])
    return objective.contrastive(images, texts, model.logit_scale.exp().clamp(max=MAX_SCALE), right, ignored)


@torch.no_grad()
def follow(average: towers.Clip, model: towers.Clip, count: int) -> None:
    """Move the averaged weights and norm statistics a step towards the model's; early steps move them further."""
    pace = max(1 - AVERAGING, 9 / (10 + count))
    for mean, value in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, pace)
        else:
            mean.copy_(value)


def train(args: argparse.Namespace) -> None:
    """Train, keep a moving average of the weights, score and save it now and then."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    learns, scored = split(args.hold_out)
    known = concepts()
    unseen = {crop.photo for crop, _ in scored} | photos_of("gym", args.hold_out or "")
    others = [crop for crop in load(CACHE / "holds.npz")[0] if crop.photo not in unseen]
    stream = HoldStream(learns, others, known, SIDE_PX, Mix())
    batches: Iterator[Batch] = iter(DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4))
    model = towers.restore(args.start) if args.start else towers.build()
    model.train().to(memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    optimizer, centers, rng = optimizer_of(model), centers_of(known), np.random.default_rng(args.seed)
    losses: list[float] = []
    for count in range(1, args.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = args.rate * warmth(count / args.steps)
        loss = step(model, next(batches), known, centers, rng)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        follow(average, model, count)
        losses.append(loss.item())
        if count % REPORT_EVERY == 0 or count == args.steps:
            save(average, args.out, report(average, scored, count, losses[-REPORT_EVERY:]))


def report(model: towers.Clip, scored: list[Labeled], count: int, losses: list[float]) -> float:
    """Print one line of progress and return the share of right names."""
    score, scale = evaluate(model.eval(), scored, SIDE_PX), model.logit_scale.exp().item()
    print(
        f"step {count:5d}  loss {np.mean(losses):.3f}  scale {scale:.1f}  "
        f"top1 {score.top1:.3f}  calibration error {score.expected_calibration_error:.3f}",
        flush=True,
    )
    return score.top1


def save(model: towers.Clip, out: Path, top1: float) -> None:
    """Write the averaged weights."""
    out.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict(), "top1": top1}, out / "checkpoint.pt")


if __name__ == "__main__":
    train(arguments())
    sys.exit(0)
