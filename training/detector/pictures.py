"""The pixels of samples, on whatever device the bank is on: photos seen through views, holds pasted over them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.detector.dice import Dice
from training.detector.fused import fused
from training.detector.scenes import CANVAS_PX, MOST_HOLDS, Bank
from training.detector.views import Views

PAD = 114.0  # gray of the letterbox
CODES = MOST_HOLDS + 1  # owners of one layer: wall and holds
LAYERS = 5  # up to four photos of a mosaic, then the one whose holds are pasted
PASTED = LAYERS - 1
FREE_SHARE = 0.95  # of a pasted hold must lie on plain wall
LEAST_PASTED_PX = 20
SPREAD = 1024  # bins that share the counting of wall pixels: adding to a single one would take turns


@dataclass(frozen=True, slots=True)
class Pictures:
    """B samples in the making.

    Attributes:
        rgb: (B, S, S, 3) float32, 0..255.
        codes: (B, S, S) int64, layer x CODES + owner; a remainder of 0 is wall.
    """

    rgb: Tensor
    codes: Tensor

    def at(self, chosen: Tensor) -> "Pictures":
        """The samples of an index."""
        return Pictures(self.rgb[chosen], self.codes[chosen])

    def replaced(self, chosen: Tensor, by: "Pictures") -> "Pictures":
        """These samples, those of the index `chosen` replaced."""
        return Pictures(self.rgb.index_copy(0, chosen, by.rgb), self.codes.index_copy(0, chosen, by.codes))


def look(bank: Bank, views: Views, side_px: int, layers: int = 1) -> Pictures:
    """See photos; gray is beside them.

    Args:
        bank: P photos.
        views: (B * layers,), the layers of a sample one after the other.
        side_px: S of the samples.
        layers: 1, or 4 for mosaics: then each view is seen in its own frame.
    """
    start = views.photo * CANVAS_PX * (CANVAS_PX * 3 // 2) + views.halved * CANVAS_PX
    scale = torch.where(views.halved, 0.5, 1.0)
    columns = {"start": start, "scale": scale, "size": bank.size_wh[views.photo]}
    columns["back"] = torch.linalg.inv(views.forth).flatten(1)
    middle = views.frame_xyxy[layers - 1 :: layers, :2] if layers > 1 else views.frame_xyxy[:, 2:]
    rgb, codes = _sampled(
        bank.rgb.view(-1, 3),
        bank.owners.view(-1),
        **{name: column.unflatten(0, (-1, layers)) for name, column in columns.items()},
        middle=middle,
        centers=pixel_centers(side_px, start.device),
    )
    return Pictures(rgb, codes)


def pixel_centers(side_px: int, device: torch.device) -> Tensor:
    """(1, S, S, 2) x, y of the pixels' centers."""
    line = torch.arange(side_px, device=device) + 0.5
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)[None]


@fused
def _sampled(
    colors: Tensor,
    owners: Tensor,
    *,
    start: Tensor,
    scale: Tensor,
    size: Tensor,
    back: Tensor,
    middle: Tensor,
    centers: Tensor,
) -> tuple[Tensor, Tensor]:
    """Colors between pixels and owners of pixels.

    Args:
        colors: (pixels of the bank, 3) uint8.
        owners: (pixels of the bank,) uint8.
        start: (B, L) where in the bank the pictures begin that are looked at.
        scale: (B, L) their scale.
        size: (B, L, 2) width and height at scale 1.
        back: (B, L, 9) homographies from samples' pixels to photos'.
        middle: (B, 2) where the layers of a sample meet.
        centers: (1, S, S, 2).

    Returns:
        (B, S, S, 3) float32 0..255 and (B, S, S) int64 codes.
    """
    column, row = centers.unbind(-1)
    layer = (column >= middle[:, 0, None, None]).long() + 2 * (row >= middle[:, 1, None, None])

    def of_layer(values: Tensor) -> Tensor:
        chosen = values[:, 0, None, None]
        for k in range(1, values.shape[1]):
            chosen = torch.where(layer == k, values[:, k, None, None], chosen)
        return chosen

    a, b, c, d, e, f, g, h, i = (of_layer(value) for value in back.unbind(-1))
    weight = g * column + h * row + i
    x, y = (a * column + b * row + c) / weight, (d * column + e * row + f) / weight
    width, height = (of_layer(side) for side in size.unbind(-1))
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    reduced, first = of_layer(scale), of_layer(start)
    last_x, last_y = (width * reduced).floor() - 1, (height * reduced).floor() - 1
    spot_x, spot_y = x * reduced - 0.5, y * reduced - 0.5

    def place(across: Tensor, down: Tensor) -> Tensor:
        across, down = across.clamp(min=0).minimum(last_x).long(), down.clamp(min=0).minimum(last_y).long()
        return first + down * (CANVAS_PX * 3 // 2) + across

    low_x, low_y = spot_x.floor(), spot_y.floor()
    share_x, share_y = (spot_x - low_x)[..., None], (spot_y - low_y)[..., None]
    top = torch.lerp(colors[place(low_x, low_y)].float(), colors[place(low_x + 1, low_y)].float(), share_x)
    bottom = torch.lerp(colors[place(low_x, low_y + 1)].float(), colors[place(low_x + 1, low_y + 1)].float(), share_x)
    rgb = torch.where(inside[..., None], torch.lerp(top, bottom, share_y), PAD)
    owner = torch.where(inside, owners[place(spot_x.round(), spot_y.round())].long(), 0)
    return rgb, layer * CODES + owner


def paste(under: Pictures, over: Pictures, share: Tensor, dice: Dice) -> tuple[Pictures, Tensor]:
    """Paste holds of other photos where they cover hardly anything.

    Args:
        under: B samples.
        over: B other photos, of one layer.
        share: (B,) 0..1, how many of the holds that have room are pasted.
        dice: of B samples.

    Returns:
        New samples, and (B, CODES) bool which holds were pasted.
    """
    wanted = dice.uniform(0, 1, CODES) < share[:, None]
    pixels = count_codes(over.codes, CODES)
    free = count_codes(torch.where(under.codes % CODES == 0, over.codes, 0), CODES)
    chosen = wanted & (pixels >= LEAST_PASTED_PX) & (free >= FREE_SHARE * pixels)
    chosen[:, 0] = False
    covered = chosen.gather(1, over.codes.flatten(1)).view_as(over.codes)
    soft = functional.avg_pool2d(covered.float()[:, None], 3, 1, 1)[:, 0] * covered  # edges blend, as a lens does
    mixed = torch.lerp(under.rgb, over.rgb, soft[..., None])
    return Pictures(mixed, torch.where(covered, PASTED * CODES + over.codes, under.codes)), chosen


def count_codes(codes: Tensor, most: int) -> Tensor:
    """(B, most) float32 how many pixels of each (S, S) map have each code; walls are not counted."""
    flat = codes.flatten(1)
    spread = most + torch.arange(flat.shape[1], device=codes.device) % SPREAD
    flat = torch.where(flat % CODES == 0, spread, flat)
    counts = torch.zeros(len(flat), most + SPREAD, device=codes.device)
    return counts.scatter_add_(1, flat, torch.ones((), device=codes.device).expand_as(flat))[:, :most]


def occlude(pictures: Pictures, limbs: int, dice: Dice) -> Pictures:
    """Put plain limbs of somebody or something between the camera and the wall; what they hide is nobody's."""
    side = pictures.codes.shape[-1]
    angle, length = dice.uniform(0, 2 * torch.pi, limbs), dice.uniform(0.05, 0.35, limbs) * side
    steps = torch.stack([angle.cos(), angle.sin()], -1) * length[..., None]
    start = dice.uniform(0, side, 1, 2) + steps.cumsum(1) - steps  # each begins where the last one ends
    thick, color = dice.uniform(0.008, 0.05, limbs) * side, dice.uniform(10, 245, 1, 1, 3)
    centers = pixel_centers(side, pictures.codes.device)
    look = {"steps": steps, "thick": thick, "color": color, "centers": centers}
    return Pictures(*_hidden(pictures.rgb, pictures.codes, start, **look))


@fused
def _hidden(
    rgb: Tensor, codes: Tensor, start: Tensor, *, steps: Tensor, thick: Tensor, color: Tensor, centers: Tensor
) -> tuple[Tensor, Tensor]:
    for limb in range(steps.shape[1]):
        along, reach = steps[:, limb, None, None], centers - start[:, limb, None, None]
        share = ((reach * along).sum(-1) / along.square().sum(-1)).clamp(0, 1)
        depth = (reach - share[..., None] * along).square().sum(-1).sqrt() / thick[:, limb, None, None]
        shaded = color * (1.15 - 0.5 * depth.square()[..., None])
        rgb, codes = torch.where(depth[..., None] < 1, shaded, rgb), torch.where(depth < 1, 0, codes)
    return rgb, codes
