"""What the flood is made of."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.photos.bombs import BOMBS
from bench.photos.cache import photo_path
from bench.photos.honest import HONEST
from bench.photos.hostile import HOSTILE

_SAMPLE = Path(__file__).parents[2] / "assets" / "sample-wall.jpg"
_TILES = 3


@dataclass(frozen=True, slots=True)
class Upload:
    """One kind of request.

    Attributes:
        name: What the table calls it.
        photo: The body.
        share: How often it comes, in relation to the others.
        query: Parameters of the URL.
        leaves: Whether the client hangs up in the middle.
    """

    name: str
    photo: bytes
    share: int
    query: str = ""
    leaves: bool = False


def good_uploads() -> list[Upload]:
    """Photos that a service at the small profile answers with holds."""
    return [
        Upload("phone photo, 12 MP JPEG", _SAMPLE.read_bytes(), 12),
        Upload("wall of 300 holds", crowded_wall(), 1, "?max_holds=300&min_confidence=0.05"),
        *(
            Upload(name, _honest(name), 1)
            for name in (
                "jpeg-50mp.jpg",
                "jpeg-12mp-progressive.jpg",
                "jpeg-12mp-cmyk.jpg",
                "png-12mp-16bit.png",
                "webp-12mp.webp",
                "heic-8mp.heic",
            )
        ),
    ]


def bad_uploads() -> list[Upload]:
    """Photos that are refused, and clients that leave."""
    hostile = {**HOSTILE, **BOMBS}
    refused = [Upload(name, photo_path(name, hostile).read_bytes(), 1) for name in hostile]
    too_large = [Upload(name, _honest(name), 1) for name in ("jpeg-50mp-progressive-444.jpg", "png-50mp.png")]
    return [*refused, *too_large, Upload("client that leaves", _SAMPLE.read_bytes(), 3, leaves=True)]


def drawn(uploads: list[Upload], seed: int) -> Iterator[Upload]:
    """Draw uploads by their shares, for ever."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    shares = [upload.share for upload in uploads]
    while True:
        yield dice.choices(uploads, shares)[0]


def crowded_wall() -> bytes:
    """The sample photo three by three times: some four hundred holds."""
    rgb = cv2.imread(str(_SAMPLE))
    if rgb is None:
        raise FileNotFoundError(_SAMPLE)
    small = cv2.resize(rgb, None, fx=1 / _TILES, fy=1 / _TILES, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", np.tile(small, (_TILES, _TILES, 1)))[1])


def _honest(name: str) -> bytes:
    return photo_path(name, HONEST).read_bytes()
