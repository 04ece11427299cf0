"""Small tables on the device where they are used: copying them there anew makes every step wait for the GPU."""

from __future__ import annotations

import functools

import torch
from torch import Tensor


@functools.cache
def constant(device: torch.device, *rows: float | tuple[float, ...]) -> Tensor:
    """(N,) or (N, M) float32; one and the same tensor for the same values, so leave it as it is."""
    return torch.tensor(rows, dtype=torch.float32, device=device)
