"""Random numbers for the samples of a batch."""

import torch
from torch import Tensor


class Dice:
    """Draws for each of B samples."""

    def __init__(self, count: int, rng: torch.Generator) -> None:
        self._count, self._rng = count, rng

    def normal(self, spread: float, *shape: int) -> Tensor:
        """(B, *shape) around 0."""
        return spread * torch.randn(self._count, *shape, generator=self._rng, device=self._rng.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """(B, *shape) from low to high."""
        return low + (high - low) * torch.rand(self._count, *shape, generator=self._rng, device=self._rng.device)

    def chance(self, share: float, *shape: int) -> Tensor:
        """(B, *shape) bool."""
        return self.uniform(0, 1, *shape) < share

    def some(self, share: float) -> Tensor:
        """Indices of a random `share` of the samples, rounded: always as many, so that a GPU need not be asked."""
        order = torch.randperm(self._count, generator=self._rng, device=self._rng.device)
        return order[: round(share * self._count)]

    def among(self, chosen: Tensor) -> "Dice":
        """Dice for the samples of an index."""
        return Dice(len(chosen), self._rng)
