"""Many small operations on whole batches of pictures, as few kernels on a GPU.

Measured on an H100, 128 samples of 512 px: 29 ms a batch instead of 69, for 50 s of compiling; what takes a mean over
channels (`lighting`) is slower when fused.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")


def fused(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` where its first argument is on a GPU; on a CPU that takes longer than it saves."""
    compiled = torch.compile(function, dynamic=True)  # nothing happens before the first call

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        on_gpu = isinstance(args[0], torch.Tensor) and args[0].is_cuda
        return (compiled if on_gpu else function)(*args, **kwargs)

    return call
