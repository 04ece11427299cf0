"""From the network's output to holds: pure functions on arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.boxes import Detections
from detector.crops import crop_hold
from detector.looks import Look
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


def outlined(looks: Sequence[Look], enlargement_xy: tuple[float, float], max_holds: int) -> list[OutlinedHold]:
    """Outline what was found and keep the largest.

    Args:
        looks: what was found, every hold in one of them.
        enlargement_xy: shown pixels for each decoded pixel.
        max_holds: how many to keep.

    Returns:
        At most `max_holds`, those with the largest areas, most confident first.
    """
    scale = np.array(enlargement_xy * 2, np.float32)
    holds = [
        OutlinedHold(box, _found_hold(look.found, i, box * scale, outline))
        for look in looks
        for i, (box, outline) in enumerate(zip(look.boxes_xyxy, outline_holds(look), strict=True))
    ]
    largest = sorted(holds, key=lambda outlined: -outlined.hold.area_px)[:max_holds]
    return sorted(largest, key=lambda outlined: -outlined.hold.confidence)


def _found_hold(found: Detections, i: int, box_xyxy: NDArray[np.float32], outline: Outline) -> FoundHold:
    sides = box_xyxy[2:] - box_xyxy[:2]
    return FoundHold(
        kind=int(found.kinds[i]),
        confidence=float(found.confidences[i]),
        box_xyxy=box_xyxy,
        polygon=box_xyxy[:2] + outline.polygon * sides,
        area_px=max(1, round(float(sides.prod()) * outline.fill)),
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
