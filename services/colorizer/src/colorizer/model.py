"""The CLIP image tower in ONNX Runtime, fed in batches of one size, and of a smaller one while memory is tight."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from servicekit.cancel import CancelToken
from servicekit.pressure import Pressure
from visionkit.errors import ModelError
from visionkit.session import OnnxModel, TensorSpec

INPUT = "crops"


class ImageTower:
    """Turns prepared crops into embeddings; loaded and warm once it exists. May be used from several threads at once.

    Args:
        path: ONNX file with the input `crops` (batch, S, S, 3) uint8 and one output (batch, D) float32.
        batch_size: Crops in one run; fewer are padded, so every run has the same shape and memory.
        threads: Threads of one run.
        pressure: While memory is tight by its word, batches have a quarter of the size; None for never.

    Raises:
        ModelError: The network is not of this kind.
    """

    def __init__(self, path: Path, *, batch_size: int, threads: int, pressure: Pressure | None = None) -> None:
        self._pressure = pressure
        self._small_batch = max(1, batch_size // 4)
        sizes = {"batch": (batch_size, self._small_batch)}
        self._network = OnnxModel(path, threads=threads, dims={}, sizes=sizes, pressure=pressure)
        spec = self._network.inputs.get(INPUT)
        if spec is None or not _takes_crops(spec, batch_size):
            raise ModelError(f"{path}: expected {INPUT!r} uint8 ({batch_size}, S, S, 3), got {self._network.inputs}")
        self._shape = spec.shape
        self._run([], self._small_batch, None)
        self._dim = int(self._run([], batch_size, None).shape[1])  # also warms the network, at the sizes of later runs

    @property
    def dim(self) -> int:
        """D, the length of an embedding."""
        return self._dim

    @property
    def side_px(self) -> int:
        """S, the side of the crops it takes."""
        return self._shape[1]

    def embed(self, crops_rgb: Sequence[NDArray[np.uint8]], *, token: CancelToken | None = None) -> NDArray[np.float32]:
        """Embed any number of crops, one batch after the other.

        Args:
            crops_rgb: N arrays (S, S, 3). N may be 0.
            token: Cancelling it ends the run within the current batch.

        Returns:
            (N, D) L2-normalized.

        Raises:
            Cancelled: The token was cancelled meanwhile.
        """
        embeddings = np.empty((len(crops_rgb), self._dim), np.float32)
        start = 0
        while start < len(crops_rgb):
            size = self._batch_size()
            part = crops_rgb[start : start + size]
            embeddings[start : start + len(part)] = self._run(part, size, token)
            start += size
        return embeddings

    def _batch_size(self) -> int:
        if self._pressure is None or not self._pressure.tight():
            return self._shape[0]
        self._pressure.count("small_batches")
        return self._small_batch

    def _run(self, crops_rgb: Sequence[NDArray[np.uint8]], size: int, token: CancelToken | None) -> NDArray[np.float32]:
        """(n, D) for up to a batch of crops; unused rows of the batch stay black and are dropped."""
        batch = np.zeros((size, *self._shape[1:]), np.uint8)
        for row, crop in zip(batch, crops_rgb, strict=False):
            row[:] = crop
        (embeddings,) = self._network.run({INPUT: batch}, token=token)
        return np.asarray(embeddings[: len(crops_rgb)], np.float32)


def _takes_crops(spec: TensorSpec, batch_size: int) -> bool:
    shape = spec.shape
    return spec.dtype == np.uint8 and len(shape) == 4 and shape == (batch_size, shape[1], shape[1], 3)
