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

POSITIVES = 64  # anchors of a picture whose masks are scored
POINTS = 14  # along each side of the grid
REACH = 1.15  # of the box's sides: the rim teaches where masks end
MASK_GAIN = 4.0
GAINS = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples stacked for the network.

    Attributes:
        images: (B, 3, S, S) float32 RGB 0..1.
        owners: (B, S, S) int32, 0 for wall, i + 1 for the picture's i-th hold.
        picture: (N,) float32, which picture a hold is on; ascending.
        kinds: (N,) float32.
        boxes: (N, 4) float32 center x, center y, width, height as shares of S.
    """

    images: Tensor
    owners: Tensor
    picture: Tensor
    kinds: Tensor
    boxes: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on `device`."""
        return Batch(*(getattr(self, name).to(device, non_blocking=True) for name in self.__slots__))


class Assigned(NamedTuple):
    """Which anchors stand for which holds.

    Attributes:
        positive: (B, anchors) bool, whether an anchor stands for a hold.
        owner: (B, anchors) int64, which hold of the picture.
        boxes: (B, anchors, 4) pixels, the box of that hold.
    """

    positive: Tensor
    owner: Tensor
    boxes: Tensor


class HoldLoss:
    """Sum of box, class, distribution and mask losses of a batch, per picture."""

    def __init__(self, model: nn.Module) -> None:
        model.args = GAINS
        self._detection = v8DetectionLoss(model)

    def __call__(self, outputs: dict[str, Tensor], batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Score the network's training outputs.

        Args:
            outputs: the network's training outputs, in float32.
            batch: the labels; at least one hold in all.

        Returns:
            The loss to minimize (a scalar) and its parts by name.
        """
        targets = {"batch_idx": batch.picture, "cls": batch.kinds, "bboxes": batch.boxes}
        assigned, parts, _ = self._detection.get_assigned_targets_and_loss(outputs, targets)
        mask = mask_loss(outputs["proto"], outputs["mask_coefficient"], Assigned(*assigned[:3]), batch.owners)
        named = dict(zip(("box", "class", "dfl", "mask"), [*parts.detach().tolist(), mask.item()], strict=True))
        return parts.sum() + MASK_GAIN * mask, named


def mask_loss(prototypes: Tensor, coefficients: Tensor, assigned: Assigned, owners: Tensor) -> Tensor:
    """Mean cross-entropy of mask logits at points in and just around the holds' boxes.

    Args:
        prototypes: (B, 32, S/4, S/4).
        coefficients: (B, 32, anchors).
        assigned: which anchors stand for which holds.
        owners: (B, S, S) int32, 0 for wall, i + 1 for the picture's i-th hold.
    """
    side = owners.shape[-1]
    losses = []
    for b in range(len(owners)):
        anchors = assigned.positive[b].nonzero()[:, 0]
        if len(anchors) == 0:
            continue
        anchors = anchors[torch.randperm(len(anchors), device=anchors.device)[:POSITIVES]]
        points = grid_points(assigned.boxes[b, anchors])
        at = (points / side * 2 - 1)[None]
        planes = functional.grid_sample(prototypes[b : b + 1], at, align_corners=False, padding_mode="border")[0]
        logits = torch.einsum("ck,ckp->kp", coefficients[b][:, anchors], planes)
        x, y = points.long().clamp_(0, side - 1).unbind(-1)
        inside = owners[b][y, x] == assigned.owner[b, anchors, None] + 1
        losses.append(functional.binary_cross_entropy_with_logits(logits, inside.float()))
    return torch.stack(losses).mean() if losses else prototypes.sum() * 0


def grid_points(boxes_xyxy: Tensor) -> Tensor:
    """(N, POINTS², 2) x, y pixels: a grid over each (N, 4) box and its rim, every point jittered in its cell."""
    count, device = len(boxes_xyxy), boxes_xyxy.device
    cell = torch.stack(torch.meshgrid(*[torch.arange(POINTS, device=device)] * 2, indexing="xy"), -1).view(-1, 2)
    share = (cell + torch.rand(count, POINTS**2, 2, device=device)) / POINTS - 0.5
    center = (boxes_xyxy[:, None, :2] + boxes_xyxy[:, None, 2:]) / 2
    return center + share * REACH * (boxes_xyxy[:, None, 2:] - boxes_xyxy[:, None, :2])
