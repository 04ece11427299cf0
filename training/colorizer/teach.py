"""Teach the text tower what a finished image tower sees, and leave the image tower and its palette as they are.

The way of LiT (Zhai et al., "Zero-Shot Transfer with Locked-image Text Tuning", 2022). The image tower sees every
augmented hold once and its answers are kept, so that this takes minutes on one core of a CPU. Run with
`python -m training.colorizer.teach`; it takes the shipped image tower and palette and writes the shipped text tower.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from colorizer.palette import PROMPT
from torch import Tensor, nn

from training.colorizer import calibration, onnx_files, towers
from training.colorizer.augment import Recipe
from training.colorizer.captions import PALETTE, concepts
from training.colorizer.chance import Dice
from training.colorizer.export import write_text_side
from training.colorizer.objective import contrastive, left_out
from training.colorizer.phrases import Phrasebook
from training.colorizer.samples import Batch, Mix, Source
from training.colorizer.served import IMAGE, MODELS, PALETTE_FILE
from training.colorizer.train import MAX_SCALE, Average, Plan, centers_of, source_of, started, warmth

PLAN = Plan(mix=Mix(batch=256, labeled=0.35, recolored=0.25, rendered=0.15, views=2), recipe=Recipe(light=2.0))
RATE = 2e-3
LOYALTY = 2.0
"""Weight of the loss that keeps the palette's prompts where the shipped palette has them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch with the image tower's answers (B, D) instead of its pixels; see `Batch`."""

    images: Tensor
    concepts: Tensor
    right: Tensor
    oklab: Tensor
    named: Tensor


def seen_by(tower: Path, batch: Batch) -> Seen:
    """What the written image tower answers to a batch."""
    crops = batch.crops.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    images = torch.from_numpy(onnx_files.answers(tower, crops, at_once=32))
    return Seen(images, batch.concepts, batch.right, batch.oklab, batch.named)


def draw(folder: Path, count: int, seed: int) -> list[Seen]:
    """Show some batches to the shipped image tower."""
    torch.manual_seed(seed)
    dice = Dice(torch.device("cpu"), seed)
    source: Source = source_of(PLAN, concepts(), dice)
    return [seen_by(folder / IMAGE, source.draw()) for _ in range(count)]


def taught(seen: Sequence[Seen], palette: Tensor, *, steps: int, seed: int = 0) -> towers.Clip:
    """A model whose text tower fits the image tower's answers; each step takes one batch.

    Args:
        seen: what the image tower answered.
        palette: (P, D) the embeddings of the palette's prompts, to be kept.
        steps: how many.
        seed: of weights and captions.
    """
    torch.manual_seed(seed)
    known, dice = concepts(), Dice(torch.device("cpu"), seed)
    phrases, centers = Phrasebook(known, dice), centers_of(known)
    model = started(PLAN, phrases.used).train()
    prompts = towers.tokens_of([PROMPT.format(name) for name in PALETTE])
    average, learning = Average(model), [*model.text.parameters(), model.logit_scale]
    optimizer = torch.optim.AdamW(learning, weight_decay=0.01)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * warmth(step / steps)
        batch = seen[step % len(seen)]
        texts = towers.encode_tokens(model, phrases.say(batch.concepts))
        ignored = left_out(batch.right, batch.oklab, batch.named, centers[batch.concepts])
        loss = contrastive(batch.images, texts, model.logit_scale.exp().clamp(max=MAX_SCALE), batch.right, ignored)
        strayed = 1 - (towers.encode_tokens(model, prompts) * palette).sum(dim=1).mean()
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss + LOYALTY * strayed)
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        average.follow(step)
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step:4d}  loss {loss.item():.3f}  palette strayed {strayed.item():.4f}", flush=True)
    return average.model.eval()


def main() -> int:
    """Teach, and write the text tower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=96)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with np.load(MODELS / PALETTE_FILE) as file:
        palette = torch.from_numpy(file["embeddings"])
    model = taught(draw(MODELS, args.batches, args.seed), palette, steps=args.steps)
    towers.save(model, towers.NAME, Path("training/runs/text/checkpoint.pt"))
    write_text_side(model, MODELS)
    calibration.calibrate(MODELS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
