"""A pinhole camera in front of a wall.

World coordinates are meters: x right along the wall, y up with the floor at 0, z out of the wall toward the climber.
Photo coordinates are pixels, x right, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frame:
    """A right-handed tangent frame on the wall or on a facet of a volume; unit vectors in world coordinates."""

    origin: Vector
    right: Vector
    up: Vector
    out: Vector

    @staticmethod
    def on_wall(x_m: float, y_m: float) -> Frame:
        """The frame of a point of the wall plane."""
        axes = np.eye(3)
        return Frame(np.array([x_m, y_m, 0.0]), axes[0], axes[1], axes[2])

    def to_local(self, direction: Vector) -> Vector:
        """(3,) world direction as (right, up, out) components."""
        return np.array([direction @ self.right, direction @ self.up, direction @ self.out])


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the photo was taken from: rows of `rotation` are the photo's right, down and forward axes."""

    position: Vector
    rotation: Vector
    focal_px: float
    center_px: Vector

    @staticmethod
    def aimed(
        target: Vector,
        distance_m: float,
        *,
        yaw: float,
        pitch: float,
        roll: float,
        focal_px: float,
        size_wh: tuple[int, int],
    ) -> Camera:
        """Look at `target` from `distance_m` away; positive `pitch` looks up at an overhang. Angles in radians."""
        away = np.array([math.sin(yaw) * math.cos(pitch), -math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
        forward = -away
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        cosine, sine = math.cos(roll), math.sin(roll)
        rotation = np.stack([cosine * right + sine * down, cosine * down - sine * right, forward])
        return Camera(target + distance_m * away, rotation, focal_px, np.array(size_wh) / 2)

    def project(self, points: Vector) -> Vector:
        """(N, 3) world points, all in front of the camera, to (N, 2) photo pixels."""
        seen = (points - self.position) @ self.rotation.T
        return np.asarray(seen[:, :2] / seen[:, 2:] * self.focal_px + self.center_px)

    def wall_homography(self) -> Vector:
        """(3, 3) matrix from wall meters (x, y, 1) to homogeneous photo pixels."""
        intrinsic = np.array(
            [[self.focal_px, 0, self.center_px[0]], [0, self.focal_px, self.center_px[1]], [0, 0, 1.0]]
        )
        extrinsic = np.column_stack([self.rotation[:, 0], self.rotation[:, 1], -self.rotation @ self.position])
        return np.asarray(intrinsic @ extrinsic)

    def on_wall(self, pixels: Vector) -> Vector:
        """(N, 2) photo pixels to the (N, 2) wall meters that they show."""
        rays = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(self.wall_homography()).T
        return np.asarray(rays[:, :2] / rays[:, 2:])

    def jacobian(self, frame: Frame) -> Vector:
        """(2, 3) photo pixels per meter along the frame's right, up and out."""
        step_m = 1e-3
        steps = np.stack([frame.origin, *(frame.origin + step_m * axis for axis in (frame.right, frame.up, frame.out))])
        pixels = self.project(steps)
        return np.asarray((pixels[1:] - pixels[0]).T / step_m)
