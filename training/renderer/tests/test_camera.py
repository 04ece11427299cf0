"""The camera's ways of going between wall and photo agree."""

import numpy as np
import pytest

from training.renderer.camera import Camera, Frame


@pytest.fixture
def camera() -> Camera:
    target = np.array([0.3, 2.0, 0.0])
    return Camera.aimed(target, 5.0, yaw=0.2, pitch=0.3, roll=0.05, focal_px=900.0, size_wh=(960, 1280))


def test_the_target_is_in_the_middle(camera):
    assert camera.project(np.array([[0.3, 2.0, 0.0]]))[0] == pytest.approx([480, 640])


def test_up_is_up_and_right_is_right(camera):
    middle, right, up = camera.project(np.array([[0.3, 2.0, 0], [0.8, 2.0, 0], [0.3, 2.5, 0]]))
    assert right[0] > middle[0] + 50
    assert up[1] < middle[1] - 50


def test_wall_points_survive_the_round_trip(camera):
    points = np.random.default_rng(0).uniform(-2, 4, (20, 2))
    pixels = camera.project(np.column_stack([points, np.zeros(20)]))
    assert camera.on_wall(pixels) == pytest.approx(points, abs=1e-9)


def test_the_jacobian_predicts_small_steps(camera):
    frame = Frame.on_wall(-1.0, 1.0)
    step = np.array([0.01, -0.005, 0.008])
    moved = camera.project(np.stack([frame.origin, frame.origin + step]))
    assert camera.jacobian(frame) @ step == pytest.approx(moved[1] - moved[0], abs=0.05)
