"""Changes of color and light, so that the detector learns shapes and not one gym's paint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from training.detector.samples import Scene


def recolor(scene: Scene, rng: np.random.Generator, *, gentle: bool) -> Scene:
    """Turn the hue of the wall and of single holds, and their saturation, each by its own amount."""
    count = len(scene.kinds) + 1
    hue = np.round(rng.normal(0, 4, count))
    if rng.random() < (0.1 if gentle else 0.4):
        chosen = rng.random(count) < 0.4
        hue[chosen] += rng.uniform(0, 180, chosen.sum())
    if not gentle and rng.random() < 0.35:
        hue += rng.uniform(0, 180)
    gain = np.exp(rng.normal(0, 0.1 if gentle else 0.3, count)) * np.exp(rng.normal(0, 0.1 if gentle else 0.25))
    hsv = cv2.cvtColor(scene.bgr, cv2.COLOR_BGR2HSV)
    owners = scene.owners.clip(0, count - 1)
    hsv[..., 0] = (hsv[..., 0] + hue.astype(np.int16)[owners]) % 180
    hsv[..., 1] = (hsv[..., 1] * gain.astype(np.float32)[owners]).clip(0, 255)
    return _with_pixels(scene, cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR))


def relight(scene: Scene, rng: np.random.Generator, *, gentle: bool) -> Scene:
    """Exposure, contrast, white balance; now and then gray, blur, noise, JPEG."""
    strength = 0.4 if gentle else 1.0
    bgr: Any = _toned(scene.bgr, rng, strength)  # OpenCV's stubs forget the type of the pixels
    if rng.random() < 0.05 * strength:
        bgr = cv2.cvtColor(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.15 * strength:
        bgr = cv2.GaussianBlur(bgr, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.15 * strength:
        spread = (rng.uniform(2, 14),) * 3
        noise = cv2.randn(np.empty(bgr.shape, np.int16), (0, 0, 0), spread)  # type: ignore[call-overload]  # takes scalars
        bgr = cv2.add(bgr, noise, dtype=cv2.CV_8U)
    if rng.random() < 0.2 * strength:
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])
        bgr = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    return _with_pixels(scene, bgr)


def _toned(bgr: NDArray[np.uint8], rng: np.random.Generator, strength: float) -> NDArray[np.uint8]:
    """One lookup table for each channel: gain, gamma and offset."""
    gain = np.exp(rng.normal(0, 0.18 * strength) + rng.normal(0, 0.07 * strength, 3))
    gamma = np.exp(rng.normal(0, 0.2 * strength))
    levels = (np.arange(256) / 255) ** gamma
    table = (levels[:, None] * gain + rng.normal(0, 0.05 * strength)) * 255
    return np.asarray(cv2.LUT(bgr, table.clip(0, 255).astype(np.uint8)[None]), np.uint8)


_S = TypeVar("_S", bound="Scene")


def _with_pixels(scene: _S, bgr: object) -> _S:
    return type(scene)(np.asarray(bgr, np.uint8), scene.owners, scene.boxes_xyxy, scene.kinds)
