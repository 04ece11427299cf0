"""Holds as tensors of one size, so that whole batches can be lit, photographed and masked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from colorizer.pipeline import core_of
from numpy.typing import NDArray
from torch import Tensor
from visionkit.masks import eroded_px

from training.colorizer.crops import HoldCrop
from training.colorizer.oklab import from_oklab, oklab_of, to_oklab

CANVAS_PX = 96
MARGIN = 0.2
"""Wall kept around the box, as a share of its sides."""

BOX = (MARGIN / (1 + 2 * MARGIN) * CANVAS_PX, (1 + MARGIN) / (1 + 2 * MARGIN) * CANVAS_PX)
"""Where every hold's box begins and ends on its canvas, in both directions."""


@dataclass(frozen=True, slots=True)
class Canvases:
    """N holds, each with its box stretched to the same square.

    Attributes:
        rgb: (N, 3, K, K) uint8.
        mask: (N, K, K) bool, the hold, never outside its box.
        middle: (N, 3) OKLab, the median of the hold.
        core: (N, 3) OKLab, the median of its core.
        erosion: (N, 2) how many canvas pixels the service's erosion takes from each side, across and down.
        gains: (N, 3) factors on linear light that take the photo's light out; `middle` and `core` are without it.
    """

    rgb: Tensor
    mask: Tensor
    middle: Tensor
    core: Tensor
    erosion: Tensor
    gains: Tensor

    def __len__(self) -> int:
        """N."""
        return len(self.rgb)

    def __getitem__(self, rows: Tensor) -> Canvases:
        """The holds of these rows."""
        return Canvases(*[part[rows] for part in self.parts])

    def to(self, device: torch.device) -> Canvases:
        """The same on a device."""
        return Canvases(*[part.to(device) for part in self.parts])

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """All fields."""
        return self.rgb, self.mask, self.middle, self.core, self.erosion, self.gains

    def under(self, gains: Tensor) -> Canvases:
        """The same holds with other gains (N, 3)."""
        change = gains / self.gains
        middle, core = (to_oklab(from_oklab(color) * change) for color in (self.middle, self.core))
        return Canvases(self.rgb, self.mask, middle, core, self.erosion, gains)


def joined(groups: Sequence[Canvases]) -> Canvases:
    """Some holds after others."""
    return Canvases(*[torch.cat(parts) for parts in zip(*[holds.parts for holds in groups], strict=True)])


def save(path: Path, holds: Canvases, photos: Sequence[str]) -> None:
    """Write holds and the names of their photos."""
    np.savez(
        path, rgb=holds.rgb.numpy(), mask=np.packbits(holds.mask.numpy(), axis=2), middle=holds.middle.numpy(),
        core=holds.core.numpy(), erosion=holds.erosion.numpy(), photos=np.array(photos),
    )  # fmt: skip


def load(path: Path) -> tuple[Canvases, list[str]]:
    """Read what `save` wrote."""
    with np.load(path) as file:
        mask = np.unpackbits(file["mask"], axis=2, count=CANVAS_PX).astype(np.bool_)
        parts = (file["rgb"], mask, file["middle"], file["core"], file["erosion"])
        holds = Canvases(*[torch.from_numpy(part) for part in (*parts, np.ones((len(mask), 3), np.float32))])
        return holds, [str(photo) for photo in file["photos"]]


def stretched(crops: Sequence[HoldCrop]) -> Canvases:
    """Lay out crops on canvases."""
    drawn = [_canvas(crop) for crop in crops]
    return Canvases(
        rgb=torch.from_numpy(np.stack([rgb for rgb, _ in drawn])).permute(0, 3, 1, 2).contiguous(),
        mask=torch.from_numpy(np.stack([mask for _, mask in drawn])),
        middle=oklab_of(torch.from_numpy(np.stack([_median(crop, crop.mask) for crop in crops]))),
        core=oklab_of(torch.from_numpy(np.stack([_median(crop, _core(crop)) for crop in crops]))),
        erosion=torch.tensor([_erosion(crop) for crop in crops], dtype=torch.float32),
        gains=torch.ones(len(crops), 3),
    )


def _canvas(crop: HoldCrop) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    x0, y0, x1, y1 = crop.box
    across, down = (x1 - x0) / (BOX[1] - BOX[0]), (y1 - y0) / (BOX[1] - BOX[0])
    back = np.array([  # from the middle of a canvas pixel to the middle of a crop pixel
        [across, 0, x0 - 0.5 + across * (0.5 - BOX[0])], [0, down, y0 - 0.5 + down * (0.5 - BOX[0])],
    ])  # fmt: skip
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (CANVAS_PX, CANVAS_PX)
    rgb = cv2.warpAffine(crop.rgb, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(crop.mask.astype(np.float32), back, size, flags=flags)
    return rgb.astype(np.uint8), np.asarray(mask > 0.5)


def _median(crop: HoldCrop, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(np.median(crop.rgb[where], axis=0))


def _core(crop: HoldCrop) -> NDArray[np.bool_]:
    x0, y0, x1, y1 = crop.box
    core = np.zeros_like(crop.mask)
    core[y0:y1, x0:x1] = core_of(crop.mask[y0:y1, x0:x1])
    return core


def _erosion(crop: HoldCrop) -> tuple[float, float]:
    """How far the service's erosion moves the rim, in canvas pixels across and down."""
    x0, y0, x1, y1 = crop.box
    eroded = eroded_px((y1 - y0, x1 - x0)) * (BOX[1] - BOX[0])
    return eroded / (x1 - x0), eroded / (y1 - y0)
