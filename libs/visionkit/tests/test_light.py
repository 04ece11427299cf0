import cv2
import numpy as np
import pytest
from visionkit.light import NEUTRAL, STRONGEST, TRUSTED, Light, balanced, estimate, gains


def a_wall(paint: tuple[int, int, int], *, seed: int = 0) -> np.ndarray:
    """A painted wall with balls of many colors, neutral light."""
    rng = np.random.default_rng(seed)
    wall = np.full((360, 480, 3), paint, np.float32)
    for _ in range(120):
        shade = rng.uniform(20, 235, 3) * 0.5 + rng.uniform(20, 235) * 0.5
        cv2.circle(wall, (int(rng.integers(480)), int(rng.integers(360))), int(rng.integers(6, 20)), shade.tolist(), -1)
    return np.clip(wall + rng.normal(0, 2, wall.shape), 0, 255).astype(np.uint8)


def under(light: Light, rgb: np.ndarray) -> np.ndarray:
    return balanced(rgb, Light(-light.red, -light.blue))


@pytest.mark.parametrize("photo", [np.zeros((1, 1, 3)), np.full((40, 30, 3), 255), np.full((500, 9, 3), 90)])
def test_a_photo_that_tells_nothing_is_neutral(photo):
    assert estimate(photo.astype(np.uint8)) == NEUTRAL


@pytest.mark.parametrize("lamp", [Light(0.5, -0.8), Light(-0.4, 0.5), Light(0.4, 0.4)])
def test_a_strong_lamp_is_found_but_for_what_may_be_the_paint(lamp):
    before, after = estimate(a_wall((120, 120, 120))), estimate(under(lamp, a_wall((120, 120, 120))))
    assert abs(after.red - before.red - lamp.red) < 0.2
    assert abs(after.blue - before.blue - lamp.blue) < 0.3


def test_what_most_of_the_wall_is_painted_with_counts_little():
    yellow, blue = estimate(a_wall((200, 160, 40))), estimate(a_wall((40, 90, 180)))
    assert abs(yellow.red - blue.red) < 0.25
    assert abs(yellow.blue - blue.blue) < 0.35


def test_no_lamp_is_taken_to_be_farther_from_neutral_than_any_is():
    light = estimate(under(Light(1.4, -1.4), under(Light(1.4, -1.4), a_wall((120, 120, 120)))))
    assert max(abs(light.red), abs(light.blue)) <= STRONGEST
    assert TRUSTED > 0


def test_gains_leave_the_brightness_of_a_gray():
    np.testing.assert_allclose(gains(NEUTRAL), 1)
    seen = np.exp([0.5, 0, -0.8])  # linear light of a gray under that lamp
    balanced_gray = seen * gains(Light(0.5, -0.8))
    np.testing.assert_allclose(balanced_gray, balanced_gray[0], rtol=1e-5)
    assert balanced_gray[0] == pytest.approx(seen @ (0.2126, 0.7152, 0.0722), rel=1e-4)


def test_neutral_light_leaves_the_pixels_alone():
    rgb = a_wall((1, 2, 3))
    assert balanced(rgb, NEUTRAL) is rgb
