"""Names the colors of a chunk of holds: palette, erode, embed, match, each a stage of the request's receipt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from servicekit.cancel import CancelToken
from servicekit.receipts import stage
from visionkit.light import NEUTRAL, Light

from colorizer.model import ImageTower
from colorizer.palette import UNKNOWN, Choice, Palette, Prompt
from colorizer.pipeline import Match, PreparedCrop, UnusableHold, core_of, match, prepare_crop
from colorizer.text import Prompts

MAX_SIDE_PX = 512  # of a crop
COPIES = 4  # of one crop at a time: its bytes, its filled window, the pixels of its core, their sorted channels


@dataclass(frozen=True, slots=True)
class HoldCrop:
    """One hold to name.

    Attributes:
        hold_id: the caller's number.
        rgb: (H, W, 3) uint8, H and W at least 1.
        mask: (H, W) bool; may be empty.
    """

    hold_id: int
    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BadCrop:
    """A hold whose message makes no crop, and why in one sentence."""

    hold_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Guess:
    """A name and its share among all names, 0 to 1."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class NamedColor:
    """The answer for one hold.

    Attributes:
        hold_id: the caller's number.
        name: a name, or `unknown`.
        confidence: the name's share; 0 when it is `unknown`.
        rgb: the median of the core; None without pixels.
        unknown_reason: empty unless the name is `unknown`.
        guesses: the two best names where neither is sure enough.
    """

    hold_id: int
    name: str
    confidence: float
    rgb: tuple[int, int, int] | None
    unknown_reason: str = ""
    guesses: tuple[Guess, ...] = ()


class Colorist:
    """The loaded model and its palette. May be used from several threads at once."""

    def __init__(self, tower: ImageTower, palette: Palette, prompts: Prompts) -> None:
        self._tower = tower
        self._prompts = prompts
        self.palette = palette

    def name(
        self,
        crops: Iterable[HoldCrop | BadCrop],
        palette: Sequence[Prompt] = (),
        light: Light = NEUTRAL,
        *,
        token: CancelToken,
    ) -> list[NamedColor]:
        """Name every hold, in order. A hold that cannot be used becomes `unknown` and disturbs no other.

        Crops are taken one at a time and only what the network will see of them is kept (S * S * 3 bytes a hold).

        Args:
            crops: The holds.
            palette: The colors to choose from; empty for the service's own.
            light: The light of the photo.
            token: Cancelling it ends the work.

        Raises:
            InvalidParameter: The palette cannot be put into embeddings.
            Cancelled: The token was cancelled meanwhile.
        """
        choice = self._choice(palette, token)
        with stage("erode"):
            looks = [self._look_at(crop, light, token) for crop in crops]
        usable = [look.pixels for _, look in looks if isinstance(look, PreparedCrop)]
        with stage("embed"):
            embeddings = self._tower.embed(usable, token=token)
        with stage("match"):
            matches = iter(match(embeddings, choice.embeddings, choice.logit_scale))
            return [
                _named(hold_id, look, next(matches), choice)
                if isinstance(look, PreparedCrop)
                else NamedColor(hold_id, UNKNOWN, 0.0, None, look)
                for hold_id, look in looks
            ]

    def cost_bytes(self, count: int, palette: Sequence[Prompt] = ()) -> int:
        """Memory that naming `count` holds takes beside their messages, at most.

        The text tower is let go again before the first hold is looked at.

        Raises:
            InvalidParameter: There is a palette, and this model has no text tower.
        """
        seen = 3 * self._tower.side_px**2 + 4 * self._tower.dim
        words = self._prompts.cost_bytes([color.text for color in palette]) if palette else 0
        return max(words, count * seen + COPIES * 3 * MAX_SIDE_PX**2)

    def warm_up(self) -> None:
        """Name one hold of the largest size, so that the first request takes no longer than later ones."""
        pixels = np.zeros((MAX_SIDE_PX, MAX_SIDE_PX, 3), np.uint8)
        self.name([HoldCrop(0, pixels, np.ones(pixels.shape[:2], np.bool_))], token=CancelToken())

    def _choice(self, palette: Sequence[Prompt], token: CancelToken) -> Choice:
        """The caller's names, or else the service's own.

        A caller's palette always gets a name: what is sure enough was measured on the service's own.
        """
        own = self.palette.choice
        if not palette:
            return own
        with stage("palette"):
            embeddings = self._prompts.embed([color.text for color in palette], token=token)
        return Choice(tuple(color.name for color in palette), embeddings, own.logit_scale, min_confidence=0.0)

    def _look_at(self, crop: HoldCrop | BadCrop, light: Light, token: CancelToken) -> tuple[int, PreparedCrop | str]:
        """What the network will see of a hold, or why it will not see it."""
        token.raise_if_cancelled()
        if isinstance(crop, BadCrop):
            return crop.hold_id, crop.reason
        try:
            return crop.hold_id, prepare_crop(crop.rgb, core_of(crop.mask), self._tower.side_px, light)
        except UnusableHold as problem:
            return crop.hold_id, str(problem)


def _named(hold_id: int, look: PreparedCrop, best: Sequence[Match], choice: Choice) -> NamedColor:
    guesses = tuple(Guess(choice.names[found.index], found.confidence) for found in best)
    if guesses[0].confidence < choice.min_confidence:
        return NamedColor(hold_id, UNKNOWN, 0.0, look.rgb, "No color is probable enough.", guesses)
    return NamedColor(hold_id, guesses[0].name, guesses[0].confidence, look.rgb)
