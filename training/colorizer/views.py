"""The same hold seen otherwise: turned, in fewer pixels, compressed, with a wrong mask; its name must stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from colorizer.pipeline import core_of, prepare_crop
from numpy.typing import NDArray
from visionkit.light import NEUTRAL, Light

from training.colorizer.crops import HoldCrop

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]
View = Callable[[Rgb, Mask], tuple[Rgb, Mask]]


def box_and_mask(crop: HoldCrop) -> tuple[Rgb, Mask]:
    """The crop without its margin, as the detector sends it."""
    x0, y0, x1, y1 = crop.box
    return crop.rgb[y0:y1, x0:x1], crop.mask[y0:y1, x0:x1]


def prepared(
    crops: Sequence[HoldCrop],
    side_px: int,
    *,
    lights: Mapping[str, Light],
    view: View | None = None,
    erode: bool = True,
) -> NDArray[np.uint8]:
    """(N, S, S, 3) uint8, what the service feeds to the network.

    Args:
        crops: N of them.
        side_px: S.
        lights: the light of each photo; neutral where it is missing.
        view: how to look at each crop; by default as it is.
        erode: whether the service's erosion takes place.
    """
    seen = []
    for crop in crops:
        rgb, mask = box_and_mask(crop)
        if view is not None:
            rgb, mask = view(rgb, mask)
        core = core_of(mask.copy()) if erode else mask
        seen.append(prepare_crop(np.ascontiguousarray(rgb), core, side_px, lights.get(crop.photo, NEUTRAL)).pixels)
    return np.stack(seen)


def scaled(rgb: Rgb, mask: Mask, factor: float) -> tuple[Rgb, Mask]:
    """The hold in fewer or more pixels, at least 4 by 4."""
    size = max(4, round(rgb.shape[1] * factor)), max(4, round(rgb.shape[0] * factor))
    small = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    resized = np.asarray(
        cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR), np.uint8
    )
    return (resized, small) if small.any() else (rgb, mask)


def as_jpeg(rgb: Rgb, *, quality: int) -> Rgb:
    """What JPEG leaves of an image at a quality of 0 to 100."""
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def inscribed(mask: Mask) -> Mask:
    """An ellipse of 0.8 of the box's sides, whatever the hold's shape."""
    plain = np.zeros(mask.shape, np.uint8)
    height, width = mask.shape
    cv2.ellipse(plain, ((width / 2, height / 2), (0.8 * width, 0.8 * height), 0.0), (1,), thickness=-1)
    return plain.astype(np.bool_)


VIEWS: dict[str, View] = {
    "flipped left to right": lambda rgb, mask: (rgb[:, ::-1], mask[:, ::-1]),
    "upside down": lambda rgb, mask: (rgb[::-1], mask[::-1]),
    "a quarter turn": lambda rgb, mask: (np.rot90(rgb), np.rot90(mask)),
    "half the size": lambda rgb, mask: scaled(rgb, mask, 0.5),
    "1.5 times the size": lambda rgb, mask: scaled(rgb, mask, 1.5),
    "JPEG at quality 50": lambda rgb, mask: (as_jpeg(rgb, quality=50), mask),
    "box and ellipse only": lambda rgb, mask: (rgb, inscribed(mask)),
}
"""What must not change a name; the last one is no mask at all."""
