"""What a phone, a gym and an imperfect detector do to a hold, without changing its name."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.colorizer.crops import HoldCrop, ellipse
from training.colorizer.recolor import from_oklab, recolor, to_bytes, to_linear, to_oklab

Rng = np.random.Generator
Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


def photographed(crop: HoldCrop, target: Floats | None, rng: Rng) -> tuple[Rgb, Mask]:
    """One hold as the detector might send it: box pixels and a predicted mask.

    Where a target is given, a (3,) OKLab color, the hold is first re-colored to it.
    """
    light = to_linear(crop.rgb)
    if target is not None:
        light[crop.mask] = from_oklab(recolor(to_oklab(light[crop.mask]), target))
    light = lit(chalked(light, rng), rng)
    window = jittered_box(crop, rng)
    rgb = compressed(to_bytes(light)[window], rng)
    return turned(rgb, predicted_mask(crop.mask[window], rng), rng)


def lit(light: Floats, rng: Rng) -> Floats:
    """Exposure, white balance and sometimes a soft shadow edge; linear light in and out."""
    gain = np.exp(rng.normal(0, 0.12)) * np.exp(rng.normal(0, 0.035, 3))
    light = np.asarray(light * gain, np.float32)
    if rng.random() < 0.2:
        light = light * shadow(light.shape[:2], rng)[..., None]
    if rng.random() < 0.3:
        gray = light.mean(axis=2, keepdims=True)
        light = gray + (light - gray) * np.float32(rng.uniform(0.85, 1.1))
    return light


def shadow(shape: tuple[int, ...], rng: Rng) -> Floats:
    """(H, W) factors in 0.45..1: a half plane with a soft edge."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    side = (columns / shape[1] - rng.uniform(0.2, 0.8)) * np.cos(angle)
    side = side + (rows / shape[0] - rng.uniform(0.2, 0.8)) * np.sin(angle)
    depth = rng.uniform(0.1, 0.55)
    return np.asarray(1 - depth / (1 + np.exp(-side / rng.uniform(0.03, 0.2))), np.float32)


def chalked(light: Floats, rng: Rng) -> Floats:
    """Sometimes cloudy white stains; linear light in and out."""
    if rng.random() > 0.25:
        return light
    coarse = rng.random((int(rng.integers(3, 7)),) * 2).astype(np.float32)
    cloud = cv2.resize(coarse, (light.shape[1], light.shape[0]), interpolation=cv2.INTER_CUBIC)
    cover = np.clip((cloud - rng.uniform(0.5, 0.8)) * 3, 0, 1)[..., None] * np.float32(rng.uniform(0.2, 0.8))
    level = np.float32(min(1.0, float(np.percentile(light, 95)) * 1.1))
    return np.asarray(light * (1 - cover) + level * cover)


def jittered_box(crop: HoldCrop, rng: Rng) -> tuple[slice, slice]:
    """The box with every side moved by a few percent, inside the crop, never thinner than 4 pixels."""
    x0, y0, x1, y1 = crop.box
    height, width = crop.mask.shape
    dx, dy = (x1 - x0) * rng.normal(0, 0.05, 2), (y1 - y0) * rng.normal(0, 0.05, 2)
    left, top = int(max(0, x0 + dx[0])), int(max(0, y0 + dy[0]))
    right, bottom = int(min(width, x1 + dx[1])), int(min(height, y1 + dy[1]))
    return slice(top, max(bottom, top + 4)), slice(left, max(right, left + 4))


def compressed(rgb: Rgb, rng: Rng) -> Rgb:
    """Sometimes fewer pixels, blur, sensor noise, JPEG."""
    if rng.random() < 0.3 and min(rgb.shape[:2]) > 16:
        size, scale = (rgb.shape[1], rgb.shape[0]), rng.uniform(0.25, 0.9)
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rgb = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if rng.random() < 0.2:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.6)).astype(np.uint8)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(1, 7), rgb.shape)
        rgb = np.clip(rgb + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        rgb = as_jpeg(rgb, quality=int(rng.integers(35, 95)))
    return rgb


def as_jpeg(rgb: Rgb, *, quality: int) -> Rgb:
    """What JPEG leaves of an image at a quality of 0 to 100."""
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def predicted_mask(mask: Mask, rng: Rng) -> Mask:
    """The mask as a segmentation head might give it: blobby, grown, shrunk, shifted, or no better than an ellipse."""
    kind = rng.random()
    whole = (0, 0, mask.shape[1], mask.shape[0])
    if kind < 0.15 or not mask.any():
        return ellipse(mask.shape, whole, rng.uniform(0.7, 1.1))
    soft = blobby(mask, int(rng.integers(5, 24))) if kind < 0.65 else mask.astype(np.float32)
    moved_x, moved_y = mask.shape[1] * rng.normal(0, 0.03), mask.shape[0] * rng.normal(0, 0.03)
    shift = np.array([[1, 0, moved_x], [0, 1, moved_y]], np.float32)
    soft = np.asarray(cv2.warpAffine(soft, shift, mask.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.float32)
    grown = np.asarray(soft > rng.choice([0.25, 0.5, 0.5, 0.75]))
    return grown if grown.any() else mask


def blobby(mask: Mask, cells: int) -> Floats:
    """(H, W) 0..1: the mask as it looks through a grid of `cells` by `cells` prototypes."""
    coarse = cv2.resize(mask.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, mask.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def turned(rgb: Rgb, mask: Mask, rng: Rng) -> tuple[Rgb, Mask]:
    """One of the eight flips and quarter turns."""
    turns = int(rng.integers(4))
    rgb, mask = np.rot90(rgb, turns), np.rot90(mask, turns)
    if rng.random() < 0.5:
        rgb, mask = rgb[:, ::-1], mask[:, ::-1]
    return np.ascontiguousarray(rgb), np.ascontiguousarray(mask)
