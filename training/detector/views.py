"""Where samples look: which photo, how far, from which angle; and where its holds' boxes come to lie."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.detector.scenes import Bank

SERVED_SIDE_PX = 800  # longer side at which the default size shows a photo of 3:4; samples are drawn around that
HALF_BELOW = 0.6  # scales below this look at the halved picture, so that they do not alias


@dataclass(frozen=True, slots=True)
class Taste:
    """How far samples may stray from plain photos at the served size."""

    scales: tuple[float, float]
    turn_deg: float
    quarter_turns: float
    aspect: float
    shear: float
    tilt: float


PLAIN = Taste(scales=(0.75, 1.4), turn_deg=1.5, quarter_turns=0.0, aspect=0.03, shear=0.02, tilt=0.02)
WILD = Taste(scales=(0.5, 1.6), turn_deg=5.0, quarter_turns=0.06, aspect=0.12, shear=0.06, tilt=0.08)
LOOSE = Taste(scales=(0.35, 2.2), turn_deg=25.0, quarter_turns=0.5, aspect=0.15, shear=0.08, tilt=0.0)  # pasted holds


@dataclass(frozen=True, slots=True)
class Views:
    """V looks at photos of a bank.

    Attributes:
        photo: (V,) int64, index into the bank.
        halved: (V,) bool, whether the halved picture is looked at.
        forth: (V, 3, 3) float32, homographies from photo pixels to sample pixels.
        frame_xyxy: (V, 4) float32, the part of the sample that the view fills.
    """

    photo: Tensor
    halved: Tensor
    forth: Tensor
    frame_xyxy: Tensor

    def at(self, chosen: Tensor | slice) -> "Views":
        """The views of an index or a slice."""
        return Views(*(getattr(self, name)[chosen] for name in self.__slots__))


def draw_views(bank: Bank, frame_xyxy: Tensor, taste: Taste, rng: torch.Generator) -> Views:
    """One random look for each (V, 4) frame: a photo, scaled, turned, sheared, tilted, perhaps mirrored."""
    count, device = len(frame_xyxy), frame_xyxy.device
    photo = torch.multinomial(bank.weights, count, replacement=True, generator=rng)
    size = bank.size_wh[photo]
    low, high = (math.log(v) for v in taste.scales)
    scale = (
        SERVED_SIDE_PX / size.amax(1) * torch.exp(low + (high - low) * torch.rand(count, generator=rng, device=device))
    )
    linear = scale[:, None, None] * _random_linear(count, taste, rng, device)
    extent = (linear.abs() @ size[..., None])[..., 0]
    sides = frame_xyxy[:, 2:] - frame_xyxy[:, :2]
    spare = sides - extent  # negative where the photo is larger than the frame
    low_xy, high_xy = spare.clamp(max=0), spare.clamp(min=0)
    place = low_xy + (high_xy - low_xy) * torch.rand(count, 2, generator=rng, device=device)
    center = frame_xyxy[:, :2] + place + extent / 2
    tilt = taste.tilt * torch.randn(count, 2, generator=rng, device=device).clamp(-2, 2) / (size / 2)
    return Views(photo, scale < HALF_BELOW, _homographies(linear, tilt, size / 2, center), frame_xyxy)


def _random_linear(count: int, taste: Taste, rng: torch.Generator, device: torch.device) -> Tensor:
    """(V, 2, 2): aspect, shear, turn and mirror."""

    def normal(spread: float) -> Tensor:
        return spread * torch.randn(count, generator=rng, device=device)

    def uniform() -> Tensor:
        return torch.rand(count, generator=rng, device=device)

    quarters = torch.where(uniform() < taste.quarter_turns, (uniform() * 4).floor(), 0.0)
    angle = normal(math.radians(taste.turn_deg)) + quarters * (math.pi / 2)
    aspect, shear, mirror = normal(taste.aspect).exp(), normal(taste.shear), torch.where(uniform() < 0.5, -1.0, 1.0)
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([cos, -sin, sin, cos], -1).view(-1, 2, 2)
    bend = torch.stack([aspect * mirror, shear / aspect, zero, one / aspect], -1).view(-1, 2, 2)
    return turn @ bend


def _homographies(linear: Tensor, tilt: Tensor, middle: Tensor, center: Tensor) -> Tensor:
    """(V, 3, 3) that take a photo's middle to `center`, its surroundings by `linear`, and tilt it away from the eye."""
    to_middle, tilted = torch.eye(3, device=linear.device).repeat(2, len(linear), 1, 1)
    to_middle[:, :2, 2] = -middle
    tilted[:, :2, :2] = linear
    tilted[:, 2, :2] = tilt
    back = torch.eye(3, device=linear.device).repeat(len(linear), 1, 1)
    back[:, :2, 2] = center
    return back @ tilted @ to_middle


def project(homography: Tensor, points_xy: Tensor) -> Tensor:
    """Take (V, N, 2) points along (V, 3, 3) homographies."""
    x, y = points_xy.unbind(-1)
    a, b, c, d, e, f, g, h, i = homography.flatten(1)[:, None].unbind(-1)
    weight = g * x + h * y + i
    return torch.stack([(a * x + b * y + c) / weight, (d * x + e * y + f) / weight], -1)


def warp_boxes(boxes_xyxy: Tensor, homography: Tensor) -> Tensor:
    """Boxes around the warped inscribed ellipses: tighter than the warped corners, exact where nothing turns.

    Args:
        boxes_xyxy: (V, N, 4) photo pixels.
        homography: (V, 3, 3); taken as linear within a box.

    Returns:
        (V, N, 4) sample pixels; a new tensor.
    """
    middle, half = (boxes_xyxy[..., :2] + boxes_xyxy[..., 2:]) / 2, (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]) / 2
    center = project(homography, middle)
    weight = (homography[:, None, 2, :2] * middle).sum(-1) + homography[:, None, 2, 2]
    slope = homography[:, None, :2, :2] - center[..., :, None] * homography[:, None, None, 2, :2]
    reach = ((slope / weight[..., None, None]).square() @ half.square()[..., None])[..., 0].sqrt()
    return torch.cat([center - reach, center + reach], -1)
