"""Finds the holds in a photo's bytes, stage by stage; runs in a worker thread."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from servicekit.cancel import CancelToken
from servicekit.receipts import stage
from visionkit import codec
from visionkit.header import PhotoHeader, ensure_within, probe
from visionkit.light import NEUTRAL, Light, estimate

from detector.boxes import select
from detector.cost import request_bytes
from detector.letterbox import Letterbox
from detector.looks import Look, Tiles, Window, look_through, windows, without_duplicates
from detector.model import HoldNetwork
from detector.pipeline import FoundHold, is_plain, outlined, with_crop


@dataclass(frozen=True, slots=True)
class Query:
    """A photo and what to look for in it.

    Attributes:
        photo: the file, untouched.
        max_holds: 1 to 300.
        min_confidence: 0.01 to 1.
        with_crops: whether the holds' pixels are wanted.
    """

    photo: bytes
    max_holds: int
    min_confidence: float
    with_crops: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in a photo.

    Attributes:
        shown_wh: its size as shown.
        holds: most confident first.
        light: of the photo, where crops were wanted.
        damaged: whether rows or blocks of it are lost.
    """

    shown_wh: tuple[int, int]
    holds: list[FoundHold]
    light: Light = NEUTRAL
    damaged: bool = False


class HoldFinder:
    """Finds holds with one network. May be called from several threads at once."""

    def __init__(self, network: HoldNetwork, *, max_side_px: int, max_pixels: int, tiles: Tiles = 1) -> None:
        """Keep the network.

        Args:
            network: loaded and warm.
            max_side_px: longer side to which photos are decoded.
            max_pixels: photos with more are refused.
            tiles: into how many windows photos are cut, beside a look at the whole.
        """
        self._network = network
        self._max_side_px = max_side_px
        self._max_pixels = max_pixels
        self._tiles = tiles

    def read_header(self, query: Query) -> PhotoHeader:
        """Read what the photo claims to be; nothing is decoded.

        Raises:
            InvalidImage: The header is damaged.
            UnsupportedFormat: The photo is in a format that is not served.
            ImageTooLarge: It claims too many pixels.
        """
        header = probe(query.photo)
        ensure_within(header, self._max_pixels)
        return header

    @property
    def sides_px(self) -> Sequence[int]:
        """Sides of the squares as large as which photos can be looked at, the usual one first."""
        return self._network.sides_px

    def cost_bytes(self, query: Query, header: PhotoHeader, side_px: int | None = None) -> int:
        """Memory that `find` takes at most, beside the request's message."""
        return request_bytes(
            header,
            file_bytes=len(query.photo),
            max_side_px=self._max_side_px,
            square_side_px=side_px or self.sides_px[0],
            max_holds=query.max_holds if query.with_crops else 0,
            looks=len(windows(header.width, header.height, self._tiles_at(side_px))),
        )

    def warm_up(self) -> None:
        """Find the holds of a gray photo in two shades, so that the first request finds everything in place."""
        gray = np.full((self._max_side_px * 3 // 4, self._max_side_px, 3), 128, np.uint8)
        gray[: len(gray) // 2] = 64
        query = Query(cv2.imencode(".jpg", gray)[1].tobytes(), max_holds=1, min_confidence=0.0, with_crops=True)
        for side_px in self.sides_px:
            self.find(query, self.read_header(query), side_px, token=CancelToken())

    def find(self, query: Query, header: PhotoHeader, side_px: int | None = None, *, token: CancelToken) -> Finding:
        """Find the holds in one photo, looked at as large as a square of `side_px`, one of `sides_px`.

        Raises:
            InvalidImage: Nothing of the photo can be shown, or it is not what its header claims.
            UnsupportedFormat: It is a kind of file that is not served.
            Cancelled: The token was cancelled.
        """
        token.raise_if_cancelled()
        with stage("decode"):
            photo = codec.decode(query.photo, header, max_side_px=self._max_side_px)
        token.raise_if_cancelled()
        if is_plain(photo.rgb):
            return Finding(photo.shown_wh, [], damaged=photo.damaged)
        height, width = photo.rgb.shape[:2]
        looks = [
            self._look(photo.rgb, window, side_px or self.sides_px[0], query.min_confidence, token)
            for window in windows(width, height, self._tiles_at(side_px))
        ]
        with stage("masks"):
            enlargement = (photo.shown_wh[0] / width, photo.shown_wh[1] / height)
            holds = outlined(without_duplicates(looks), enlargement, query.max_holds)
        token.raise_if_cancelled()
        if not query.with_crops:
            return Finding(photo.shown_wh, [hold.hold for hold in holds], damaged=photo.damaged)
        with stage("crops"):
            crops = [with_crop(hold, photo.rgb) for hold in holds]
            return Finding(photo.shown_wh, crops, estimate(photo.rgb), photo.damaged)

    def _tiles_at(self, side_px: int | None) -> Tiles:
        """A photo that is looked at in a smaller size is looked at once: memory is short then."""
        return self._tiles if side_px in (None, self.sides_px[0]) else 1

    def _look(
        self, rgb: NDArray[np.uint8], window: Window, side_px: int, min_confidence: float, token: CancelToken
    ) -> Look:
        with stage("letterbox"):
            canvas_wh = self._network.canvas_wh(window[2] - window[0], window[3] - window[1], side_px)
            letterbox = Letterbox.showing(window, canvas_wh)
            image = letterbox.image(rgb)
        with stage("detect"):
            output = self._network(image, token)
            found = select(output.predictions, min_confidence)
        return look_through(letterbox, found, output.prototypes, (rgb.shape[1], rgb.shape[0]))
