"""Names the colors of a chunk of holds: erode, embed, match, each a stage of the request's receipt."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from servicekit.cancel import CancelToken
from servicekit.receipts import stage

from colorizer.model import ImageTower
from colorizer.palette import UNKNOWN, Palette
from colorizer.pipeline import Match, PreparedCrop, UnusableHold, core_of, match, prepare_crop

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
class NamedColor:
    """The answer for one hold; `unknown_reason` is empty unless `name` is `unknown`."""

    hold_id: int
    name: str
    confidence: float
    rgb: tuple[int, int, int] | None
    unknown_reason: str = ""


class Colorist:
    """The loaded model and its palette. May be used from several threads at once."""

    def __init__(self, tower: ImageTower, palette: Palette) -> None:
        self._tower = tower
        self.palette = palette

    def name(self, crops: Iterable[HoldCrop | BadCrop], *, token: CancelToken) -> list[NamedColor]:
        """Name every hold, in order. A hold that cannot be used becomes `unknown` and disturbs no other.

        Crops are taken one at a time and only what the network will see of them is kept (S * S * 3 bytes a hold).

        Raises:
            Cancelled: The token was cancelled meanwhile.
        """
        with stage("erode"):
            looks = [self._look_at(crop, token) for crop in crops]
        usable = [look.pixels for _, look in looks if isinstance(look, PreparedCrop)]
        with stage("embed"):
            embeddings = self._tower.embed(usable, token=token)
        with stage("match"):
            matches = iter(match(embeddings, self.palette.embeddings, self.palette.logit_scale))
            return [
                self._named(hold_id, look, next(matches)) if isinstance(look, PreparedCrop) else _unknown(hold_id, look)
                for hold_id, look in looks
            ]

    def cost_bytes(self, count: int) -> int:
        """Memory that naming `count` holds takes beside their messages, at most."""
        seen = 3 * self._tower.side_px**2 + 4 * self._tower.dim
        return count * seen + COPIES * 3 * MAX_SIDE_PX**2

    def warm_up(self) -> None:
        """Name one hold of the largest size, so that the first request takes no longer than later ones."""
        pixels = np.zeros((MAX_SIDE_PX, MAX_SIDE_PX, 3), np.uint8)
        self.name([HoldCrop(0, pixels, np.ones(pixels.shape[:2], np.bool_))], token=CancelToken())

    def _look_at(self, crop: HoldCrop | BadCrop, token: CancelToken) -> tuple[int, PreparedCrop | str]:
        """What the network will see of a hold, or why it will not see it."""
        token.raise_if_cancelled()
        if isinstance(crop, BadCrop):
            return crop.hold_id, crop.reason
        try:
            return crop.hold_id, prepare_crop(crop.rgb, core_of(crop.mask), self._tower.side_px)
        except UnusableHold as problem:
            return crop.hold_id, str(problem)

    def _named(self, hold_id: int, look: PreparedCrop, found: Match) -> NamedColor:
        return NamedColor(hold_id, self.palette.names[found.index], found.confidence, look.rgb)


def _unknown(hold_id: int, reason: str) -> NamedColor:
    return NamedColor(hold_id, UNKNOWN, 0.0, None, reason)
