"""The names that the colorizer answers with, and the text embeddings that stand for them."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from visionkit.errors import ModelError

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Palette:
    """All colors in a fixed order.

    Attributes:
        names: P names.
        prompts: P captions, each the text behind one embedding.
        display_rgb: (P, 3) uint8 sRGB to draw the names with.
        embeddings: (P, D) float32, L2-normalized.
        logit_scale: factor on the cosine before the softmax.
    """

    names: tuple[str, ...]
    prompts: tuple[str, ...]
    display_rgb: NDArray[np.uint8]
    embeddings: NDArray[np.float32]
    logit_scale: float


def load(path: Path) -> Palette:
    """Read the .npz that the training wrote.

    Raises:
        ModelError: The file is not a palette, or its arrays do not belong together.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            palette = Palette(
                names=tuple(map(str, file["names"])),
                prompts=tuple(map(str, file["prompts"])),
                display_rgb=file["display_rgb"].astype(np.uint8),
                embeddings=file["embeddings"].astype(np.float32),
                logit_scale=float(file["logit_scale"]),
            )
    except (OSError, EOFError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not a palette: {str(error).splitlines()[0]}") from error
    _check(path, palette)
    return palette


def _check(path: Path, palette: Palette) -> None:
    count = len(palette.names)
    lengths = {len(palette.prompts), len(palette.display_rgb), len(palette.embeddings)}
    if not count or lengths != {count} or palette.embeddings.ndim != 2:
        raise ModelError(f"{path}: {count} names, but arrays of {sorted(lengths)} rows")
    if UNKNOWN in palette.names:
        raise ModelError(f"{path}: {UNKNOWN!r} cannot be a color's name")
