"""Masks as a segmentation head gives them, and their erosion, for batches on canvases."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from training.colorizer.canvases import BOX
from training.colorizer.chance import Dice
from training.colorizer.constants import constant

GROUPS = 4
"""A batch is cut into as many parts; the masks of one part go through a grid of the same size."""


MOST_ERODED_PX = 12
"""The service's erosion takes at most this much of a canvas from each side, for holds of at least 12 pixels."""


def jittered_boxes(count: int, dice: Dice, spread: float) -> Tensor:
    """(B, 4) x0 y0 x1 y1 on the canvas, every side moved by a share of the box."""
    box = constant(dice.device, BOX[0], BOX[0], BOX[1], BOX[1])
    return box + dice.normal(spread * (BOX[1] - BOX[0]), count, 4)


def inside(boxes: Tensor, side: int) -> Tensor:
    """(B, side, side) bool, the pixels whose middle lies in a box."""
    at = torch.arange(side, device=boxes.device) + 0.5
    across = (at >= boxes[:, :1]) & (at < boxes[:, 2:3])
    down = (at >= boxes[:, 1:2]) & (at < boxes[:, 3:])
    return across[:, None, :] & down[:, :, None]


def ellipses(boxes: Tensor, share: Tensor, side: int) -> Tensor:
    """(B, side, side) bool, ellipses centered in boxes whose axes are a share (B,) of the boxes' sides."""
    at = torch.arange(side, device=boxes.device) + 0.5
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * share[:, None]
    off = ((at - middle[..., None]) / half[..., None].clamp(min=1)) ** 2
    return off[:, 0, None, :] + off[:, 1, :, None] <= 1


def predicted(mask: Tensor, boxes: Tensor, dice: Dice) -> Tensor:
    """Masks (B, K, K) bool as a detector might give them: blobby, grown, shrunk, shifted, or mere ellipses."""
    count, side = len(mask), mask.shape[-1]
    soft = mask.float()[:, None]
    soft = torch.where(dice.happens(0.6, count, 1, 1, 1), _blobby(soft), soft)
    shift = torch.eye(2, 3, device=mask.device).repeat(count, 1, 1)
    shift[:, :, 2] = dice.normal(0.06, count, 2) * (BOX[1] - BOX[0]) / side
    soft = grid_sample(soft, affine_grid(shift, [count, 1, side, side], align_corners=False), align_corners=False)
    levels = constant(dice.device, 0.25, 0.5, 0.5, 0.75)[dice.below(4, count)]
    found = soft[:, 0] > levels[:, None, None]
    plain = ellipses(boxes, dice.uniform(0.7, 1.1, count), side)
    found = torch.where(dice.happens(0.15, count, 1, 1), plain, found) & inside(boxes, side)
    return torch.where(found.any(dim=2).any(dim=1)[:, None, None], found, plain)


def _blobby(soft: Tensor) -> Tensor:
    """The masks as they look through grids of few cells, each part of the batch through another."""
    side = soft.shape[-1]
    return torch.cat([
        interpolate(interpolate(part, (cells, cells), mode="area"), (side, side), mode="bilinear")
        for part, cells in zip(soft.chunk(GROUPS), torch.randint(7, 34, (GROUPS,)).tolist(), strict=False)
    ])  # fmt: skip


def eroded(mask: Tensor, radii: Tensor) -> Tensor:
    """Shrink masks (B, K, K) by (B, 2) pixels across and down, about as an ellipse does; what would vanish stays."""
    outside, reach = ~mask, radii.round()
    for step in range(1, MOST_ERODED_PX + 1):
        across, down = (reach >= step).view(-1, 2, 1, 1).unbind(dim=1)
        wider = outside | (_grown(outside, dim=2) & across)
        start = wider if step % 2 == 0 else outside  # squares and crosses by turns make an octagon
        outside = wider | (_grown(start, dim=1) & down)
    core = ~outside
    return torch.where(core.any(dim=2).any(dim=1)[:, None, None], core, mask)


def _grown(mask: Tensor, *, dim: int) -> Tensor:
    """The neighbors of set pixels along one direction, and the rim, outside of which nothing belongs to a hold."""
    grown = torch.ones_like(mask)
    last = mask.shape[dim] - 1
    grown.narrow(dim, 1, last - 1).copy_(mask.narrow(dim, 0, last - 1) | mask.narrow(dim, 2, last - 1))
    return grown
