"""Every caption of every concept as tokens, so that a training step only has to pick."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from colorizer.palette import PROMPT
from torch import Tensor

from training.colorizer import towers
from training.colorizer.captions import TEMPLATES, Concept
from training.colorizer.chance import Dice


class Phrasebook:
    """Says each concept in a random way; half of the time in its usual words, half of the time in the served prompt."""

    def __init__(self, concepts: Sequence[Concept], dice: Dice) -> None:
        """Put all wordings into all templates and tokenize them."""
        self._dice = dice
        self._tokens = _spelled(tuple(word for concept in concepts for word in concept.wordings)).to(dice.device)
        counts = torch.tensor([len(concept.wordings) for concept in concepts])
        self._first = (counts.cumsum(0) - counts).to(dice.device)
        self._counts = counts.to(dice.device)
        self._template_weights = torch.tensor([1.0, *[1 / len(TEMPLATES)] * len(TEMPLATES)]).to(dice.device)

    def say(self, concepts: Tensor) -> Tensor:
        """(C, L) tokens of one caption for each of the concepts with these numbers (C,)."""
        count, choices = len(concepts), self._counts[concepts]
        any_word = (self._dice.uniform(0, 1, count) * choices).long().minimum(choices - 1)
        words = self._first[concepts] + torch.where(self._dice.happens(0.5, count), 0, any_word)
        return self._tokens[words, self._dice.rows(self._template_weights, count)]

    @property
    def used(self) -> Tensor:
        """The tokens that occur in any caption."""
        return self._tokens.unique()


@functools.cache
def _spelled(words: tuple[str, ...]) -> Tensor:
    """(W, T, L) tokens of every word in every template."""
    templates = (PROMPT, *TEMPLATES)
    return towers.tokens_of([t.format(word) for word in words for t in templates]).view(len(words), len(templates), -1)
