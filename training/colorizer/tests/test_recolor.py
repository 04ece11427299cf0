"""Re-coloring gives a hold the target's color and leaves what lies on it."""

import pytest
import torch

from training.colorizer.oklab import from_oklab, oklab_of, to_srgb
from training.colorizer.recolor import recolor

RED, BLUE, BLACK = (196, 32, 38), (30, 84, 190), (28, 28, 30)


def oklab(*colors: tuple[int, int, int]) -> torch.Tensor:
    return oklab_of(torch.tensor(colors))


def recolored(pixels: torch.Tensor, target: tuple[int, int, int]) -> torch.Tensor:
    """(N, 3) pixels of one hold, moved."""
    middle = pixels.median(dim=0).values
    return recolor(pixels.T[None], middle[None], oklab(target))[0].T


def test_white_is_light_and_colorless():
    torch.testing.assert_close(oklab((255, 255, 255))[0], torch.tensor([1.0, 0, 0]), atol=1e-3, rtol=0)


def test_bytes_survive_the_way_to_oklab_and_back():
    colors = torch.randint(256, (500, 3), generator=torch.Generator().manual_seed(0))
    back = to_srgb(from_oklab(oklab_of(colors))).round()
    assert (back - colors).abs().max() <= 1


@pytest.mark.parametrize("source", [RED, BLACK])
def test_the_median_becomes_the_target(source):
    shades = (torch.tensor(source) * torch.linspace(0.7, 1.3, 41)[:, None]).clamp(0, 255)
    moved = recolored(oklab_of(shades), BLUE)
    torch.testing.assert_close(moved.median(dim=0).values, oklab(BLUE)[0], atol=0.02, rtol=0)


def test_shading_stays_shading():
    shades = (torch.tensor(RED) * torch.linspace(0.6, 1.2, 31)[:, None]).clamp(0, 255)
    assert (recolored(oklab_of(shades), BLUE)[:, 0].diff() >= -1e-3).all()


@pytest.mark.parametrize("source", [RED, BLACK])
def test_chalk_stays_white(source):
    pixels = oklab(*[source] * 30, (236, 236, 232))
    moved = recolored(pixels, BLUE)
    chalk, plastic = moved[-1], moved[0]
    assert chalk[1:].norm() < 0.25 * plastic[1:].norm()
    assert chalk[0].item() == pytest.approx(pixels[-1, 0].item(), abs=0.07)
