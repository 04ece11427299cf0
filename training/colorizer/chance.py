"""Random numbers for batches, drawn on the device where they are used."""

from __future__ import annotations

import torch
from torch import Tensor


class Dice:
    """A seeded source of random tensors on one device."""

    def __init__(self, device: torch.device, seed: int) -> None:
        """Two with the same device and seed draw the same."""
        self.device = device
        self._source = torch.Generator(device).manual_seed(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Even between two limits."""
        return low + (high - low) * torch.rand(shape, generator=self._source, device=self.device)

    def normal(self, spread: float, *shape: int) -> Tensor:
        """Around zero."""
        return spread * torch.randn(shape, generator=self._source, device=self.device)

    def happens(self, chance: float, *shape: int) -> Tensor:
        """Bool, true with that chance."""
        return self.uniform(0, 1, *shape) < chance

    def rows(self, weights: Tensor, count: int) -> Tensor:
        """(count,) row numbers, each drawn with its weight's chance."""
        return torch.multinomial(weights, count, replacement=True, generator=self._source)

    def below(self, limit: int, count: int) -> Tensor:
        """(count,) whole numbers from 0 to below the limit, all equally likely."""
        return torch.randint(limit, (count,), generator=self._source, device=self.device)
