"""Finds the holds in a photo's bytes, stage by stage; runs in a worker thread."""

from dataclasses import dataclass

from servicekit.cancel import CancelToken
from servicekit.receipts import stage
from visionkit import codec, header

from detector.boxes import select
from detector.letterbox import Letterbox
from detector.model import HoldNetwork
from detector.pipeline import FoundHold, outlined, with_crop


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
    """The photo's size as shown, and its holds, most confident first."""

    shown_wh: tuple[int, int]
    holds: list[FoundHold]


class HoldFinder:
    """Finds holds with one network. May be called from several threads at once."""

    def __init__(self, network: HoldNetwork, *, max_side_px: int, max_pixels: int) -> None:
        """Keep the network.

        Args:
            network: loaded and warm.
            max_side_px: longer side to which photos are decoded.
            max_pixels: photos with more are refused.
        """
        self._network = network
        self._max_side_px = max_side_px
        self._max_pixels = max_pixels

    def find(self, query: Query, *, token: CancelToken) -> Finding:
        """Find the holds in one photo.

        Raises:
            InvalidImage: The photo is damaged.
            UnsupportedFormat: It is in a format that is not served.
            ImageTooLarge: Its header claims too many pixels; nothing was decoded.
            Cancelled: The token was cancelled.
        """
        with stage("decode"):
            photo_header = header.probe(query.photo)
            header.ensure_within(photo_header, self._max_pixels)
            photo = codec.decode(query.photo, photo_header, max_side_px=self._max_side_px)
        token.raise_if_cancelled()
        height, width = photo.rgb.shape[:2]
        with stage("letterbox"):
            letterbox = Letterbox.fitting(width, height, self._network.side_px)
            image = letterbox.image(photo.rgb)
        with stage("detect"):
            output = self._network(image, token)
        with stage("masks"):
            found = select(output.predictions, query.min_confidence)
            enlargement = (photo.shown_wh[0] / width, photo.shown_wh[1] / height)
            holds = outlined(found, output.prototypes, letterbox, enlargement, query.max_holds)
        token.raise_if_cancelled()
        if not query.with_crops:
            return Finding(photo.shown_wh, [hold.hold for hold in holds])
        with stage("crops"):
            return Finding(photo.shown_wh, [with_crop(hold, photo.rgb) for hold in holds])
