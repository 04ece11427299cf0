"""The training loss: ultralytics' detection loss, and masks scored at points instead of on whole planes.

The usual mask loss multiplies every positive anchor's coefficients with the whole prototype plane: at 60 holds a photo
that costs more than the network itself. Here some positives of each photo are drawn, and each is scored on a jittered
grid of points laid over its hold's box.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from ultralytics.utils.loss import v8DetectionLoss

POSITIVES = 48  # anchors of a picture whose masks are scored
POINTS = 14  # along each side of the grid
REACH = 1.15  # of the box's sides: the rim teaches where masks end
MASK_GAIN = 4.0
GAINS = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples stacked for the network.

    Attributes:
        images: (B, 3, S, S) float32 RGB 0..1.
        codes: (B, S, S) int32 which hold a pixel belongs to.
        picture: (N,) float32, which picture a hold is on; ascending.
        kinds: (N,) float32.
        boxes: (N, 4) float32 center x, center y, width, height as shares of S.
        code: (N,) int32, a hold's code in `codes`.
    """

    images: Tensor
    codes: Tensor
    picture: Tensor
    kinds: Tensor
    boxes: Tensor
    code: Tensor


class Assigned(NamedTuple):
    """Which anchors stand for which holds.

    Attributes:
        positive: (B, anchors) bool, whether an anchor stands for a hold.
        code: (B, anchors) int32, that hold's code; of no meaning where none is.
        boxes: (B, anchors, 4) pixels, the box of that hold.
    """

    positive: Tensor
    code: Tensor
    boxes: Tensor


class HoldLoss:
    """Sum of box, class, distribution and mask losses of a batch, per picture."""

    def __init__(self, model: nn.Module) -> None:
        model.args = GAINS
        self._detection = v8DetectionLoss(model)

    def __call__(self, outputs: dict[str, Tensor], batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Score the network's training outputs.

        Args:
            outputs: the network's training outputs, in float32.
            batch: the labels, of any number.

        Returns:
            The loss to minimize (a scalar) and its parts by name.
        """
        targets = {"batch_idx": batch.picture, "cls": batch.kinds, "bboxes": batch.boxes}
        (positive, owner, boxes, *_), parts, _ = self._detection.get_assigned_targets_and_loss(outputs, targets)
        code = padded(batch.code, batch.picture.long(), len(batch.images)).gather(1, owner.long())
        prototypes = outputs["proto"][0] if isinstance(outputs["proto"], tuple) else outputs["proto"]
        mask = mask_loss(prototypes, outputs["mask_coefficient"], Assigned(positive, code, boxes), batch.codes)
        named = dict(zip(("box", "class", "dfl", "mask"), [*parts.detach(), mask.detach()], strict=True))
        return parts.sum() + MASK_GAIN * mask, named


def padded(values: Tensor, picture: Tensor, count: int) -> Tensor:
    """(count, most) the (N,) values of each picture in their order, then zeros, as ultralytics pads its targets."""
    holds = torch.bincount(picture, minlength=count)
    place = torch.arange(len(values), device=values.device) - (holds.cumsum(0) - holds)[picture]
    rows = values.new_zeros(count, max(1, int(holds.max())))
    rows[picture, place] = values
    return rows


def mask_loss(prototypes: Tensor, coefficients: Tensor, assigned: Assigned, codes: Tensor) -> Tensor:
    """Mean cross-entropy of mask logits at points in and just around the holds' boxes.

    Args:
        prototypes: (B, 32, S/4, S/4).
        coefficients: (B, 32, anchors).
        assigned: which anchors stand for which holds.
        codes: (B, S, S) int32 which hold a pixel belongs to.
    """
    count, side = codes.shape[:2]
    chosen = (torch.rand_like(assigned.boxes[..., 0]) * assigned.positive).topk(POSITIVES, dim=1).indices
    is_positive = assigned.positive.gather(1, chosen)
    boxes = assigned.boxes.gather(1, chosen[..., None].expand(-1, -1, 4))
    points = grid_points(boxes.flatten(0, 1)).view(count, POSITIVES, -1, 2)
    planes = functional.grid_sample(prototypes, points / side * 2 - 1, align_corners=False, padding_mode="border")
    drawn = coefficients.gather(2, chosen[:, None].expand(-1, coefficients.shape[1], -1))
    logits = torch.einsum("bck,bckp->bkp", drawn, planes)
    x, y = points.long().clamp_(0, side - 1).unbind(-1)
    rows = torch.arange(count, device=codes.device)[:, None, None]
    inside = codes[rows, y, x] == assigned.code.gather(1, chosen)[..., None]
    losses = functional.binary_cross_entropy_with_logits(logits, inside.float(), reduction="none").mean(-1)
    return (losses * is_positive).sum() / is_positive.sum().clamp(min=1)


def grid_points(boxes_xyxy: Tensor) -> Tensor:
    """(N, POINTS², 2) x, y pixels: a grid over each (N, 4) box and its rim, every point jittered in its cell."""
    count, device = len(boxes_xyxy), boxes_xyxy.device
    cell = torch.stack(torch.meshgrid(*[torch.arange(POINTS, device=device)] * 2, indexing="xy"), -1).view(-1, 2)
    share = (cell + torch.rand(count, POINTS**2, 2, device=device)) / POINTS - 0.5
    center = (boxes_xyxy[:, None, :2] + boxes_xyxy[:, None, 2:]) / 2
    return center + share * REACH * (boxes_xyxy[:, None, 2:] - boxes_xyxy[:, None, :2])
