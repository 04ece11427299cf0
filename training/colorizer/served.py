"""The shipped files, and what they answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.colorizer import onnx_files, towers

MODELS = Path("models")
IMAGE = f"{towers.NAME}-image.onnx"
TEXT = f"{towers.NAME}-text.onnx"
PALETTE_FILE = f"{towers.NAME}-palette.npz"
VOCABULARY = "clip-vocabulary.txt.gz"


def served_shares(folder: Path, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, P) softmax shares of the palette's names that the files give for (N, S, S, 3) prepared crops."""
    embeddings = onnx_files.answers(folder / IMAGE, pixels)
    with np.load(folder / PALETTE_FILE) as palette:
        logits = embeddings @ palette["embeddings"].T * palette["logit_scale"]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)
