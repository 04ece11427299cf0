"""From linear light to the file a phone would save: exposure, lens, sensor, tone curve, sharpening, JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer.noise import Field, speckle

TABLE_SIZE = 4096


def develop(rng: np.random.Generator, linear: Field) -> NDArray[np.uint8]:
    """Linear RGB (H, W, 3), any scale, changed in place, to sRGB uint8 of the same size."""
    height, width = linear.shape[:2]
    fineness = max(height, width) / 1280
    linear *= _exposure(rng, linear) * _white_balance(rng)
    linear *= _vignette(rng, (height, width))[..., None]
    linear += np.float32(rng.uniform(0.0, 0.02))  # stray light in the lens
    blur = float(rng.uniform(0.35, 0.95)) * fineness**0.6
    soft = np.asarray(cv2.GaussianBlur(linear, (0, 0), blur), np.float32)
    soft += _sensor_noise(rng, soft, fineness)
    photo = _tone_curve(rng, soft)
    return _sharpened(rng, photo, fineness)


def _exposure(rng: np.random.Generator, linear: Field) -> np.float32:
    """Gain of a phone's metering: a typical mean, but the brightest twentieth must not burn out."""
    sample = linear[::8, ::8].max(axis=2)
    wanted = float(rng.uniform(0.18, 0.38)) / max(float(linear[::8, ::8].mean()), 1e-4)
    allowed = float(rng.uniform(0.6, 1.0)) / max(float(np.quantile(sample, 0.95)), 1e-4)
    return np.float32(min(wanted, allowed))


def _white_balance(rng: np.random.Generator) -> NDArray[np.float32]:
    """Channel gains of an imperfect automatic white balance."""
    warm, green = rng.normal(0, 0.05), rng.normal(0, 0.02)
    return np.array([1 + warm, 1 + green, 1 - warm], np.float32)


def _vignette(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Falloff toward the corners."""
    y, x = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None], np.linspace(-1, 1, shape[1], dtype=np.float32)[None]
    return np.asarray(1 - np.float32(rng.uniform(0.02, 0.2)) * (x * x + y * y) / 2, np.float32)


def _sensor_noise(rng: np.random.Generator, linear: Field, fineness: float) -> Field:
    """Shot and read noise after a phone's denoising: soft, mostly luminance, larger in the dark."""
    shape = linear.shape[:2]
    level = np.float32(rng.uniform(0.002, 0.02))
    gray = speckle(rng, shape, float(rng.uniform(1.0, 1.7)) * fineness**0.5)
    amount = level * np.sqrt(np.clip(linear[..., 1], 0.0, 1) + np.float32(0.02))
    return np.asarray(cv2.merge([gray * amount] * 3) * np.array([1.05, 0.95, 1.15], np.float32), np.float32)


def _tone_curve(rng: np.random.Generator, linear: Field) -> NDArray[np.uint8]:
    """Encode as sRGB with a soft shoulder and a little contrast, by table."""
    light = np.linspace(0, 1.6, TABLE_SIZE)
    knee = 0.75
    rolled = np.where(light < knee, light, knee + (1 - knee) * np.tanh((light - knee) / (1 - knee)))
    encoded = np.where(rolled <= 0.0031308, 12.92 * rolled, 1.055 * np.power(np.maximum(rolled, 1e-9), 1 / 2.4) - 0.055)
    contrast = float(rng.uniform(0.0, 0.5))
    curved = encoded + contrast * (encoded * encoded * (3 - 2 * encoded) - encoded)
    table = np.clip(curved * 255 + 0.5, 0, 255).astype(np.uint8)
    index = np.clip(linear * np.float32((TABLE_SIZE - 1) / 1.6), 0, TABLE_SIZE - 1).astype(np.uint16)
    return np.asarray(table[index], np.uint8)


def _sharpened(rng: np.random.Generator, photo: NDArray[np.uint8], fineness: float) -> NDArray[np.uint8]:
    """Unsharp mask and saturation as phones apply them."""
    amount = float(rng.uniform(0.0, 0.8))
    soft = cv2.GaussianBlur(photo, (0, 0), 1.1 * fineness**0.6)
    crisp = cv2.addWeighted(photo, 1 + amount, soft, -amount, 0)
    gray = cv2.cvtColor(cv2.cvtColor(crisp, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    saturation = float(rng.uniform(0.75, 1.1))
    return np.asarray(cv2.addWeighted(crisp, saturation, gray, 1 - saturation, 0), np.uint8)


def encode_jpeg(rgb: NDArray[np.uint8], quality: int) -> bytes:
    """A baseline JPEG file, 4:2:0."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"OpenCV could not encode a {rgb.shape} picture as JPEG")
    return data.tobytes()
