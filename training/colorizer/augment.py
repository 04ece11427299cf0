"""What a phone, a gym and an imperfect detector do to holds, and what the service then shows of them to the network.

Batched and on any device; `colorizer.pipeline` is the same for one hold at a time, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from training.colorizer import camera, light, masks
from training.colorizer.canvases import CANVAS_PX, Canvases
from training.colorizer.chance import Dice
from training.colorizer.oklab import from_oklab, to_linear, to_oklab, to_srgb
from training.colorizer.recolor import recolor


@dataclass(frozen=True, slots=True)
class Recipe:
    """How holds are varied; the defaults are what the shipped model was trained with.

    Attributes:
        light: how widely exposure and white balance vary; 0 for not at all, and no shadow, chalk or camera either.
        wrong_masks: whether masks and boxes are off as a detector's are.
        erode: whether masks are eroded to their core.
        fill: whether what is outside the core is filled with its median.
    """

    light: float = 1.0
    wrong_masks: bool = True
    erode: bool = True
    fill: bool = True


PLAIN = Recipe(light=0.0, wrong_masks=False)
"""Nothing varies: holds as they were photographed, with their own masks."""


def repainted(holds: Canvases, colors: Tensor) -> Tensor:
    """(B, 3, K, K) linear light of holds, the last M of them in the OKLab colors (M, 3)."""
    linear = to_linear(holds.rgb) * holds.gains[..., None, None]
    if not len(colors):
        return linear
    last = slice(len(holds) - len(colors), None)
    colored = from_oklab(recolor(to_oklab(linear[last]), holds.middle[last], colors))
    linear[last] = torch.where(holds.mask[last, None], colored, linear[last])
    return linear


def shown(linear: Tensor, mask: Tensor, erosion: Tensor, *, recipe: Recipe, dice: Dice, side_px: int) -> Tensor:
    """(B, 3, S, S) 0..255 what the network sees of holds.

    Args:
        linear: (B, 3, K, K) linear light, from `repainted`.
        mask: (B, K, K) bool.
        erosion: (B, 2) see `Canvases`.
        recipe: how they are varied.
        dice: random numbers.
        side_px: S.
    """
    count = len(linear)
    if recipe.light:
        linear = light.lit(light.chalked(linear, dice), dice, recipe.light)
    pixels = to_srgb(linear)
    if recipe.light:
        pixels = camera.photographed(pixels, dice)
    if recipe.wrong_masks:
        mask = masks.predicted(mask, masks.jittered_boxes(count, dice, 0.05).clamp(0, CANVAS_PX), dice)
    core = masks.eroded(mask, erosion) if recipe.erode else mask
    turn = dice.normal(0.3, count) * dice.happens(0.3, count) * bool(recipe.light)
    square = _filled(*_windows(pixels, core, turn, side_px), fill=recipe.fill)
    if not recipe.light:
        return standing(square)
    return torch.where(dice.happens(0.7, count, 1, 1, 1), standing(square), square)


def _windows(pixels: Tensor, core: Tensor, turn: Tensor, side_px: int) -> tuple[Tensor, Tensor]:
    """Cut out each core's box, turned by an angle (B,), as (B, 3, S, S) pixels and (B, 1, S, S) share of core."""
    (x0, x1), (y0, y1) = _extent(core.any(dim=1)), _extent(core.any(dim=2))
    side = core.shape[-1]
    half_x, half_y = (x1 - x0) / side, (y1 - y0) / side
    rows = torch.stack((
        half_x * turn.cos(), -half_x * turn.sin(), (x0 + x1) / side - 1,
        half_y * turn.sin(), half_y * turn.cos(), (y0 + y1) / side - 1,
    ), dim=1).view(-1, 2, 3)  # fmt: skip
    both = torch.cat((pixels, core[:, None].to(pixels)), dim=1)
    grid = affine_grid(rows, [len(core), 4, side_px, side_px], align_corners=False)
    cut = grid_sample(both, grid, padding_mode="border", align_corners=False)
    return cut[:, :3], cut[:, 3:]


def _extent(used: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) first and one past the last true column of (B, K)."""
    first = used.float().argmax(dim=1)
    return first.float(), (used.shape[1] - used.flip(1).float().argmax(dim=1)).float()


def _filled(pixels: Tensor, share: Tensor, *, fill: bool) -> Tensor:
    """Whole numbers 0..255, with the median of the core where the core is not."""
    if not fill:
        return pixels.round()
    within = share > 0.75
    within = torch.where(within.flatten(1).any(dim=1).view(-1, 1, 1, 1), within, share == share.amax((2, 3), True))
    few = pixels[..., ::2, ::2].masked_fill(~within[..., ::2, ::2], torch.inf).flatten(2).sort(dim=2).values
    count = few.isfinite().sum(dim=2, keepdim=True)
    middle = few.gather(2, ((count - 1) // 2).clamp(min=0))
    whole = pixels.mean(dim=(2, 3)).unsqueeze(2)
    median = torch.where(count > 0, middle, whole)
    return torch.where(within, pixels, median[..., None]).round()


def standing(square: Tensor) -> Tensor:
    """Turn and flip images (B, 3, S, S) so that they are brighter to the right and below, the right most of all.

    See `colorizer.pipeline.standing`.
    """
    side = square.shape[-1]
    ramp = torch.arange(side, device=square.device) * 2.0 - (side - 1)
    bright = square.sum(dim=1)
    across, down = bright.sum(dim=1) @ ramp, bright.sum(dim=2) @ ramp
    square = torch.where((across < 0).view(-1, 1, 1, 1), square.flip(3), square)
    square = torch.where((down < 0).view(-1, 1, 1, 1), square.flip(2), square)
    return torch.where((across.abs() < down.abs()).view(-1, 1, 1, 1), square.transpose(2, 3), square)
