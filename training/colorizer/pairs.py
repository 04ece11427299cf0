"""Same color or not: pairs of holds in one photo, which is what problems are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of holds that hang on the same photo.

    Attributes:
        one: (M,) the number of one hold of each pair.
        other: (M,) the number of the other.
    """

    one: NDArray[np.int64]
    other: NDArray[np.int64]

    def same(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """(M,) whether both holds of a pair have one name."""
        known = np.asarray(names)
        return np.asarray(known[self.one] == known[self.other])

    def cosines(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """(M,) how alike the unit vectors (N, D) of a pair are."""
        return np.asarray((embeddings[self.one] * embeddings[self.other]).sum(axis=1))


def within(photos: Sequence[str]) -> Pairs:
    """The pairs of N holds, each on its photo."""
    names = np.asarray(photos)
    one, other = np.triu_indices(len(names), 1)
    together = names[one] == names[other]
    return Pairs(one[together], other[together])


def f1(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """F1 of "same color", as `score.py` counts it: 0 where there is none."""
    return float(2 * (found & true).sum() / max(1, found.sum() + true.sum()))
