"""What is said about a hold: concepts (a color that has a name), their wordings, and sentence templates."""

from __future__ import annotations

import re
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import torch
from numpy.typing import NDArray

from training.colorizer.oklab import oklab_of

TEMPLATES = (
    "{}", "{} hold", "a {} hold", "a photo of a {} climbing hold", "a {} volume", "{} plastic", "the {} problem",
    "a chalky {} hold", "a {} colored hold on a wall", "the hold is {}", "a small {} foothold", "a {} sloper",
)  # fmt: skip

PALETTE: dict[str, tuple[str, ...]] = {
    "red": ("red", "bright red", "true red", "signal red"),
    "orange": ("orange", "bright orange", "neon orange"),
    "yellow": ("yellow", "bright yellow", "sunny yellow", "gold"),
    "lime": ("lime", "lime green", "neon green", "yellow green", "fluorescent green"),
    "green": ("green", "dark green", "forest green", "bottle green"),
    "mint": ("mint", "mint green", "turquoise", "aqua green"),
    "blue": ("blue", "dark blue", "royal blue", "navy"),
    "sky": ("sky", "sky blue", "light blue", "baby blue"),
    "purple": ("purple", "violet", "dark purple", "lilac"),
    "pink": ("pink", "hot pink", "magenta", "light pink", "neon pink"),
    "brown": ("brown", "dark brown", "chocolate brown"),
    "beige": ("beige", "cream", "sand", "tan", "wood"),
    "white": ("white", "off white", "plain white"),
    "gray": ("gray", "grey", "dark gray", "light grey"),
    "black": ("black", "jet black", "plain black"),
}
"""The names the services answer with, and what climbers also call them."""

DISPLAY_RGB: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 40), "orange": (242, 125, 22), "yellow": (250, 208, 28), "lime": (166, 214, 38),
    "green": (34, 139, 60), "mint": (94, 214, 176), "blue": (30, 84, 190), "sky": (94, 184, 236),
    "purple": (118, 52, 160), "pink": (240, 98, 164), "brown": (116, 72, 40), "beige": (222, 200, 164),
    "white": (246, 246, 244), "gray": (134, 138, 142), "black": (30, 30, 32),
}  # fmt: skip
"""What a user interface paints for a name."""

STRONG = ("bright", "dark", "deep", "vivid", "rich", "strong", "neon", "medium", "pure", "true", "electric")
"""Modifiers that leave the basic name right: a dark red is red, while a light blue is rather sky."""

_RUDE = re.compile(r"\b(shit|poop?|poo|puke|piss|barf|vomit|diarrhea|snot|booger|bile|ugly|nasty|drab)\b")


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing a caption can say.

    Attributes:
        wordings: color words that mean it; the first one is the most usual.
        oklab: (3,) where the name sits, or None for palette names, which are learned from photos.
        palette: index of the palette name that is right for it too, or None where that is not known.
    """

    wordings: tuple[str, ...]
    oklab: NDArray[np.float32] | None
    palette: int | None


def concepts() -> list[Concept]:
    """The palette's names first, in order, then the names of the XKCD color survey that they do not cover."""
    taken = {word for words in PALETTE.values() for word in words}
    known = [Concept(words, None, i) for i, words in enumerate(PALETTE.values())]
    survey = {key.removeprefix("xkcd:"): str(value) for key, value in mpl.colors.XKCD_COLORS.items()}
    return known + [
        Concept((name,), oklab_of_hex(value), basic_name(name))
        for name, value in sorted(survey.items())
        if name not in taken and not _RUDE.search(name)
    ]


def basic_name(name: str) -> int | None:
    """The palette index that `<strong modifier> <palette name>` belongs to, else None."""
    words = name.replace("grey", "gray").split()
    if len(words) == 2 and words[0] in STRONG and words[1] in PALETTE:
        return list(PALETTE).index(words[1])
    return None


def oklab_of_hex(value: str) -> NDArray[np.float32]:
    """(3,) OKLab of "#rrggbb"."""
    return np.asarray(oklab_of(torch.tensor([[int(value[i : i + 2], 16) for i in (1, 3, 5)]]))[0].numpy())
