"""Changes of color and light on whole batches, so that the detector learns shapes and not one gym's paint."""

import torch
from torch import Tensor
from torch.nn import functional

from training.detector.dice import Dice
from training.detector.fused import fused
from training.detector.pictures import CODES, LAYERS, Pictures

# How luminance and the two color differences are made of red, green and blue (ITU-R BT.601), and back.
TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
FROM_YCC = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))
JPEG_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)  # ITU-T T.81, table K.1: the steps of quality 50
BLUR_REACH = 4


def recolor(pictures: Pictures, dice: Dice, *, gentle: bool) -> Tensor:
    """Turn the hue of walls and of single holds, and change their saturation and lightness, each by its own amount.

    Returns:
        (B, S, S, 3) float32 RGB, not yet clipped.
    """
    codes = LAYERS * CODES
    hue = dice.normal(0.12, codes)
    turned = dice.chance(0.1 if gentle else 0.4, 1) & dice.chance(0.4, codes)
    hue = hue + torch.where(turned, dice.uniform(0, 2 * torch.pi, codes), 0.0)
    hue = hue + torch.where(dice.chance(0.0 if gentle else 0.3, 1), dice.uniform(0, 2 * torch.pi, 1), 0.0)
    chroma = dice.normal(0.1 if gentle else 0.3, codes).exp() * dice.normal(0.1 if gentle else 0.25, 1).exp()
    bleached = dice.chance(0.05 if gentle else 0.2, 1) & dice.chance(0.3, codes)  # white, gray and black holds
    chroma = torch.where(bleached, chroma * dice.uniform(0, 0.3, codes), chroma)
    light = dice.normal(0.05 if gentle else 0.12, codes).exp()
    light = torch.where(bleached, light * dice.normal(0.5, codes).exp(), light)
    table = torch.stack([light, chroma * hue.cos(), chroma * hue.sin()], -1)
    return _turned(pictures.rgb, pictures.codes, table)


@fused
def _turned(rgb: Tensor, codes: Tensor, table: Tensor) -> Tensor:
    rows = torch.arange(len(table), device=table.device)[:, None, None]
    y, u, v = mixed(rgb, TO_YCC)
    gain, cos, sin = table[rows, codes].unbind(-1)
    return torch.stack(mixed(torch.stack([y * gain, u * cos - v * sin, u * sin + v * cos], -1), FROM_YCC), -1)


def mixed(pixels: Tensor, matrix: tuple[tuple[float, float, float], ...]) -> list[Tensor]:
    """The channels of (..., 3) pixels, each mixed anew by a row of the matrix."""
    first, second, third = pixels.unbind(-1)
    return [a * first + b * second + c * third for a, b, c in matrix]


def relight(rgb: Tensor, dice: Dice, *, gentle: bool) -> Tensor:
    """Exposure, contrast, white balance, uneven light; now and then gray, blur, noise, JPEG.

    Args:
        rgb: (B, S, S, 3) float32, 0..255.
        dice: of B samples.
        gentle: whether the samples shall look like plain photos.

    Returns:
        (B, 3, S, S) float32, 0..1, in channels-last memory.
    """
    strength = 0.4 if gentle else 1.0
    gamma = dice.normal(0.2 * strength, 1, 1, 1).exp()
    gain = (dice.normal(0.2 * strength, 1, 1, 1) + dice.normal(0.08 * strength, 1, 1, 3)).exp()
    light = uneven_light(rgb.shape[1], dice, 0.15 * strength)
    gray = dice.chance(0.05 * strength, 1, 1, 1)
    offset = dice.normal(0.04 * strength, 1, 1, 1)
    pixels = _toned(rgb, gamma=gamma, gain=gain, light=light, offset=offset, gray=gray)
    image = pixels.permute(0, 3, 1, 2)
    chosen = dice.some(0.25 * strength)
    image = image.index_copy(0, chosen, blurred(image[chosen], dice.among(chosen)))
    chosen = dice.some(0.2 * strength)
    noise = dice.among(chosen).normal(1.0, *image.shape[1:]) * dice.among(chosen).uniform(0.005, 0.06, 1, 1, 1)
    image = image.index_add(0, chosen, noise).clamp(0, 1)
    chosen = dice.some(0.4 * strength)
    image = image.index_copy(0, chosen, compressed(image[chosen], dice.among(chosen).uniform(15, 85)))
    return image.contiguous(memory_format=torch.channels_last)


def _toned(rgb: Tensor, *, gamma: Tensor, gain: Tensor, light: Tensor, offset: Tensor, gray: Tensor) -> Tensor:
    """(B, S, S, 3) 0..1: a tone curve, exposure and white balance, lamps, haze; some of it in gray."""
    pixels = (rgb / 255).clamp(1e-4, 1) ** gamma * gain * light + offset
    return torch.where(gray, pixels.mean(-1, keepdim=True), pixels).clamp(0, 1)


def uneven_light(side_px: int, dice: Dice, spread: float) -> Tensor:
    """(B, S, S, 1) factors that change slowly over the picture: lamps, shade, a window."""
    coarse = dice.normal(spread, 1, 4, 4)
    fine = functional.interpolate(coarse, (side_px, side_px), mode="bicubic", align_corners=False)
    return fine.exp().permute(0, 2, 3, 1)


def blurred(image: Tensor, dice: Dice) -> Tensor:
    """(B, 3, S, S) pictures out of focus or shaken: Gaussians of different widths across and along."""
    if not len(image):
        return image
    steps = torch.arange(-BLUR_REACH, BLUR_REACH + 1, device=image.device)
    kernels = torch.exp(-steps.square() / (2 * dice.uniform(0.3, 1.8, 2, 1).square()))
    kernels = (kernels / kernels.sum(-1, keepdim=True)).repeat_interleave(3, 0)
    flat = image.reshape(1, -1, *image.shape[2:])
    flat = functional.conv2d(flat, kernels[:, 0, None, None, :], padding=(0, BLUR_REACH), groups=flat.shape[1])
    flat = functional.conv2d(flat, kernels[:, 1, None, :, None], padding=(BLUR_REACH, 0), groups=flat.shape[1])
    return flat.view_as(image)


def compressed(image: Tensor, quality: Tensor) -> Tensor:
    """What JPEG leaves of (B, 3, S, S) pictures: waves of 8 x 8 blocks, rounded to the steps of each quality, 1..99.

    Colors are rounded 1.7 times as coarsely as luminance, and are not subsampled.
    """
    if not len(image):
        return image
    device = image.device
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    steps = (torch.tensor(JPEG_LUMINANCE, device=device).flatten() * percent[:, None] / 100).clamp(1, 255).round()
    steps = torch.stack([steps, steps * 1.7, steps * 1.7], 1).flatten(0, 1)[..., None, None]
    line = torch.arange(8, device=device)
    cosines = torch.cos((2 * line + 1) * line[:, None] * (torch.pi / 16)) / 2
    cosines[0] /= 2**0.5
    waves = torch.einsum("uy,vx->uvyx", cosines, cosines).reshape(64, 1, 8, 8)
    planes = torch.stack(mixed(image.permute(0, 2, 3, 1) * 255, TO_YCC), 1).flatten(0, 1)[:, None]
    amounts = (functional.conv2d(planes, waves, stride=8) / steps).round() * steps
    planes = functional.conv_transpose2d(amounts, waves, stride=8).view_as(image)
    return (torch.stack(mixed(planes.permute(0, 2, 3, 1), FROM_YCC), 1) / 255).clamp(0, 1)
