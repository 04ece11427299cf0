"""The names that the colorizer answers with, and the text embeddings that stand for them: its own, or a caller's."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from visionkit.errors import ModelError

UNKNOWN = "unknown"

PROMPT = "a {} climbing hold"
"""The caption of a color that is known by its name only."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What one hold may be named, and how sure of a name one has to be.

    Attributes:
        names: P names.
        embeddings: (P, D) float32, L2-normalized.
        logit_scale: factor on the cosine before the softmax.
        min_confidence: below this share among the names the answer is `unknown`.
    """

    names: tuple[str, ...]
    embeddings: NDArray[np.float32]
    logit_scale: float
    min_confidence: float


@dataclass(frozen=True, slots=True)
class Palette:
    """The service's own colors in a fixed order.

    Attributes:
        choice: P names and what stands for them.
        prompts: P captions, each the text behind one embedding.
        display_rgb: (P, 3) uint8 sRGB to draw the names with.
    """

    choice: Choice
    prompts: tuple[str, ...]
    display_rgb: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One color of a caller's palette: the name to answer with, and what it looks like in words."""

    name: str
    text: str


def load(path: Path) -> Palette:
    """Read the .npz that the training wrote.

    Raises:
        ModelError: The file is not a palette, or its arrays do not belong together.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            choice = Choice(
                names=tuple(map(str, file["names"])),
                embeddings=file["embeddings"].astype(np.float32),
                logit_scale=float(file["logit_scale"]),
                min_confidence=float(file["min_confidence"]),
            )
            palette = Palette(choice, tuple(map(str, file["prompts"])), file["display_rgb"].astype(np.uint8))
    except (OSError, EOFError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not a palette: {str(error).splitlines()[0]}") from error
    _check(path, palette)
    return palette


def _check(path: Path, palette: Palette) -> None:
    choice = palette.choice
    count = len(choice.names)
    lengths = {len(palette.prompts), len(palette.display_rgb), len(choice.embeddings)}
    if not count or lengths != {count} or choice.embeddings.ndim != 2:
        raise ModelError(f"{path}: {count} names, but arrays of {sorted(lengths)} rows")
    if UNKNOWN in choice.names:
        raise ModelError(f"{path}: {UNKNOWN!r} cannot be a color's name")
