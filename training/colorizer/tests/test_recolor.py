"""Re-coloring gives a hold the target's color and leaves what lies on it."""

import numpy as np
import pytest

from training.colorizer.recolor import from_oklab, recolor, to_bytes, to_linear, to_oklab

RED, BLUE, BLACK = (196, 32, 38), (30, 84, 190), (28, 28, 30)


def oklab(*colors: tuple[int, int, int]) -> np.ndarray:
    return to_oklab(to_linear(np.array(colors, np.uint8)))


def test_white_is_light_and_colorless():
    np.testing.assert_allclose(oklab((255, 255, 255))[0], [1, 0, 0], atol=1e-3)


def test_bytes_survive_the_way_to_oklab_and_back():
    colors = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.uint8)
    back = to_bytes(from_oklab(to_oklab(to_linear(colors))))
    assert np.abs(back.astype(int) - colors).max() <= 1


@pytest.mark.parametrize("source", [RED, BLACK])
def test_the_median_becomes_the_target(source):
    shades = np.clip(np.array(source) * np.linspace(0.7, 1.3, 41)[:, None], 0, 255).astype(np.uint8)
    moved = recolor(to_oklab(to_linear(shades)), oklab(BLUE)[0])
    np.testing.assert_allclose(np.median(moved, axis=0), oklab(BLUE)[0], atol=0.02)


def test_shading_stays_shading():
    shades = np.clip(np.array(RED) * np.linspace(0.6, 1.2, 31)[:, None], 0, 255).astype(np.uint8)
    moved = recolor(to_oklab(to_linear(shades)), oklab(BLUE)[0])
    assert (np.diff(moved[:, 0]) >= -1e-3).all()


@pytest.mark.parametrize("source", [RED, BLACK])
def test_chalk_stays_white(source):
    pixels = oklab(*[source] * 30, (236, 236, 232))
    moved = recolor(pixels, oklab(BLUE)[0])
    chalk, plastic = moved[-1], moved[0]
    assert np.hypot(*chalk[1:]) < 0.25 * np.hypot(*plastic[1:])
    assert chalk[0] == pytest.approx(pixels[-1, 0], abs=0.07)
