"""From the network's output to holds: pure functions on arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.boxes import Detections
from detector.crops import crop_hold
from detector.letterbox import Letterbox
from detector.masks import Outline, outline_holds

KINDS = ("hold", "volume")
LEAST_CONTRAST = 8  # of 255, between the least and the greatest value of a channel
LOOK_STEPS_PX = (64, 4)  # the first look tells nearly every photo; things smaller than the second are no holds


@dataclass(frozen=True, slots=True)
class FoundHold:
    """One hold on the photo as shown.

    Attributes:
        kind: index into `KINDS`.
        confidence: 0..1.
        box_xyxy: (4,) float32 shown pixels, inside the photo.
        polygon: (K, 2) float32 shown pixels, K >= 3.
        area_px: shown pixels that it covers, at least 1.
        mask: (h, w) bool over the box, the longer side at most 96.
        crop_rgb: (h, w, 3) uint8 on the mask's grid; None when crops were not wanted.
    """

    kind: int
    confidence: float
    box_xyxy: NDArray[np.float32]
    polygon: NDArray[np.float32]
    area_px: int
    mask: NDArray[np.bool_]
    crop_rgb: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class OutlinedHold:
    """A hold between the stages: its box in decoded pixels and everything else in shown ones."""

    decoded_xyxy: NDArray[np.float32]
    hold: FoundHold


def is_plain(rgb: NDArray[np.uint8]) -> bool:
    """Whether a photo is of one color all over: on a black one the network is sure of a hold now and then.

    Args:
        rgb: (H, W, 3) uint8.
    """
    return all(_contrast(rgb[::step, ::step]) < LEAST_CONTRAST for step in LOOK_STEPS_PX)


def _contrast(rgb: NDArray[np.uint8]) -> int:
    return int(np.ptp(rgb.reshape(-1, 3), axis=0).max())


def outlined(
    found: Detections,
    prototypes: NDArray[np.float32],
    letterbox: Letterbox,
    enlargement_xy: tuple[float, float],
    max_holds: int,
) -> list[OutlinedHold]:
    """Outline what was found and keep the largest.

    Args:
        found: N detections, most confident first.
        prototypes: (32, side / 4, side / 4) float32.
        letterbox: where the decoded photo lies in the network's square.
        enlargement_xy: shown pixels for each decoded pixel.
        max_holds: how many to keep.

    Returns:
        At most `max_holds`, those with the largest areas, most confident first.
    """
    boxes = letterbox.to_photo(found.boxes_xyxy)
    solid = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= 1  # others lie in the padding
    found = Detections(found.boxes_xyxy[solid], found.confidences[solid], found.kinds[solid], found.coefficients[solid])
    boxes = boxes[solid]
    outlines = outline_holds(found, prototypes, letterbox, boxes)
    shown = boxes * np.array([*enlargement_xy, *enlargement_xy], np.float32)
    sides = shown[:, 2:] - shown[:, :2]
    areas = sides.prod(axis=1) * np.array([outline.fill for outline in outlines], np.float32)
    largest = np.sort(np.argsort(-areas, kind="stable")[:max_holds])
    return [OutlinedHold(boxes[i], _found_hold(found, i, shown[i], outlines[i], areas[i])) for i in largest]


def _found_hold(
    found: Detections, i: int, box_xyxy: NDArray[np.float32], outline: Outline, area: np.float32
) -> FoundHold:
    return FoundHold(
        kind=int(found.kinds[i]),
        confidence=float(found.confidences[i]),
        box_xyxy=box_xyxy,
        polygon=box_xyxy[:2] + outline.polygon * (box_xyxy[2:] - box_xyxy[:2]),
        area_px=max(1, round(float(area))),
        mask=outline.mask,
    )


def with_crop(outlined_hold: OutlinedHold, rgb: NDArray[np.uint8]) -> FoundHold:
    """The hold with its pixels.

    Args:
        outlined_hold: a hold.
        rgb: (H, W, 3) uint8, the decoded photo.
    """
    hold = outlined_hold.hold
    rows, columns = hold.mask.shape
    crop = crop_hold(rgb, outlined_hold.decoded_xyxy, (columns, rows))
    return FoundHold(hold.kind, hold.confidence, hold.box_xyxy, hold.polygon, hold.area_px, hold.mask, crop)
