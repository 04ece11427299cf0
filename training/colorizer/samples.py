"""Training batches: labeled holds, holds re-colored to a labeled one, rendered holds, holds in survey colors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from training.colorizer.augment import Recipe, repainted, shown
from training.colorizer.cache import ColorLabel
from training.colorizer.canvases import Canvases, joined
from training.colorizer.captions import PALETTE, Concept
from training.colorizer.chance import Dice
from training.colorizer.constants import constant

ALT_SHARE = 0.25
"""How much of a crop's caption weight goes to its second right name."""

BALANCE = 0.6
"""Names are drawn with their frequency to the power of 1 - this: 0 keeps the photos' mix, 1 makes all equal."""

TARGET_SPREAD = (0.03, 0.012, 0.012)
"""Standard deviation in OKLab around a labeled color when it is given to another hold."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of a batch; the rest are holds in survey colors.

    Attributes:
        labeled: labeled holds as photographed.
        recolored: other holds in the color of a labeled one, with its name.
        rendered: rendered holds.
        views: how often each drawn hold is shown, differently every time.
    """

    batch: int = 128
    labeled: float = 0.45
    recolored: float = 0.35
    rendered: float = 0.0
    views: int = 1


@dataclass(frozen=True, slots=True)
class Named:
    """Holds whose names are known."""

    holds: Canvases
    labels: Sequence[ColorLabel]


@dataclass(frozen=True, slots=True)
class Batch:
    """One training batch.

    Attributes:
        crops: (B, 3, S, S) 0..255, as the service prepares them.
        concepts: (C,) numbers of the concepts that are put into words: the palette's names, then the drawn survey's.
        right: (B, C) float32, how right each of them is; rows sum to 1.
        oklab: (B, 3) float32, the hold's color before light and camera.
        named: (B,) bool, whether the row knows its palette name.
    """

    crops: Tensor
    concepts: Tensor
    right: Tensor
    oklab: Tensor
    named: Tensor


class Source:
    """Draws batches for ever, on one device."""

    def __init__(
        self,
        labeled: Named,
        rendered: Named,
        others: Canvases,
        *,
        concepts: Sequence[Concept],
        mix: Mix,
        recipe: Recipe,
        side_px: int,
        dice: Dice,
    ) -> None:
        """Keep everything on the device of the dice."""
        device = dice.device
        self._mix, self._recipe, self._side_px, self._dice = mix, recipe, side_px, dice
        self._others = others.to(device)
        self._labeled = _NamedSource(labeled, device)
        self._rendered = _NamedSource(rendered, device)
        self._survey = _Survey(concepts, dice)

    def draw(self) -> Batch:
        """One batch; its parts follow one another in runs."""
        count, views = self._mix.batch // self._mix.views, self._mix.views
        shares = (self._mix.labeled, self._mix.rendered, self._mix.recolored)
        labeled, rendered, recolored = (round(count * share) for share in shares)
        own = [self._labeled.draw(labeled, self._dice), self._rendered.draw(rendered, self._dice)]
        drawn = self._survey.draw(count - labeled - rendered - recolored)
        new = [
            self._draw_recolored(recolored),
            (self._any_hold(len(drawn.right)), drawn.oklab, drawn.right, drawn.named),
        ]
        holds, colors, right, named = zip(*own, *new, strict=True)
        canvases, given = joined(holds), torch.cat(colors[len(own) :])
        seen = canvases if views == 1 else joined([canvases] * views)
        linear = repainted(canvases, given).repeat(views, 1, 1, 1)
        width = len(drawn.concepts)
        weights = torch.cat([pad(part, (0, width - part.shape[1])) for part in right])
        return Batch(
            crops=shown(
                linear, seen.mask, seen.erosion, recipe=self._recipe, dice=self._dice, side_px=self._side_px
            ),
            concepts=drawn.concepts, right=weights.repeat(views, 1), oklab=torch.cat(colors).repeat(views, 1),
            named=torch.cat(named).repeat(views),
        )  # fmt: skip

    def _draw_recolored(self, count: int) -> Part:
        _, colors, right, named = self._labeled.draw(count, self._dice)
        spread = constant(self._dice.device, *TARGET_SPREAD)
        return self._any_hold(count), colors + spread * self._dice.normal(1, count, 3), right, named

    def _any_hold(self, count: int) -> Canvases:
        return self._others[self._dice.below(len(self._others), count)]


Part = tuple[Canvases, Tensor, Tensor, Tensor]
"""Holds, their colors in OKLab, how right each concept is, whether the palette's name is known."""


class _NamedSource:
    """Draws holds whose names are known."""

    def __init__(self, named: Named, device: torch.device) -> None:
        self._holds = named.holds.to(device)
        self._right = label_weights(named.labels).to(device)
        self._chances = balanced([label.color for label in named.labels]).to(device)

    def draw(self, count: int, dice: Dice) -> Part:
        rows = dice.rows(self._chances, count) if count else dice.below(1, 0)
        holds = self._holds[rows]
        return holds, holds.core, self._right[rows], torch.ones(count, dtype=torch.bool, device=dice.device)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Survey colors; see `Batch`."""

    concepts: Tensor
    right: Tensor
    oklab: Tensor
    named: Tensor


class _Survey:
    """Draws colors of the survey; on the CPU, so that nobody has to wait for the GPU to know which they are."""

    def __init__(self, concepts: Sequence[Concept], dice: Dice) -> None:
        self._device, self._dice = dice.device, Dice(torch.device("cpu"), int(dice.below(2**31, 1)))
        known = [(i, c) for i, c in enumerate(concepts) if c.oklab is not None]
        self._numbers = torch.tensor([i for i, _ in known])
        self._oklab = torch.tensor(np.array([c.oklab for _, c in known]))
        self._palette = torch.tensor([-1 if c.palette is None else c.palette for _, c in known])

    def draw(self, count: int) -> _Drawn:
        rows = self._dice.below(len(self._numbers), count)
        different, place = rows.unique(return_inverse=True)
        names, basic, each = len(PALETTE), self._palette[rows], torch.arange(count)
        right = torch.zeros(count, names + len(different))
        right[each, names + place] = 1
        right[each[basic >= 0], basic[basic >= 0]] = 1
        right = right / right.sum(dim=1, keepdim=True)
        concepts = torch.cat((torch.arange(names), self._numbers[different]))
        parts: tuple[Tensor, ...] = (concepts, right, self._oklab[rows], basic >= 0)
        if self._device.type == "cuda":
            parts = tuple(part.pin_memory() for part in parts)
        return _Drawn(*[part.to(self._device, non_blocking=True) for part in parts])


def label_weights(labels: Sequence[ColorLabel]) -> Tensor:
    """(N, P) how right each of the palette's names is for each label."""
    names = list(PALETTE)
    weights = torch.zeros(len(labels), len(names))
    for row, label in zip(weights, labels, strict=True):
        row[names.index(label.color)] = 1 - ALT_SHARE if label.alt else 1
        if label.alt:
            row[names.index(label.alt)] = ALT_SHARE
    return weights


def balanced(names: Sequence[str]) -> Tensor:
    """(N,) chances of drawing each row so that rare names come up more often than they occur."""
    counts = {name: names.count(name) for name in set(names)}
    chances: NDArray[np.float64] = np.array([counts[name] ** -BALANCE for name in names])
    return torch.from_numpy(chances / chances.sum())
