"""The hold colors that gyms order, by the name a climber would say.

The shades are set by eye after photos of real gyms, as the material looks in neutral light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shade:
    """One manufacturer's color: sRGB 0..255, its name and a second name that is also right."""

    rgb: Rgb
    name: str
    alt: str | None = None


SHADES: tuple[Shade, ...] = (
    Shade((205, 28, 36), "red"),
    Shade((178, 24, 32), "red"),
    Shade((226, 52, 44), "red", "orange"),
    Shade((236, 104, 22), "orange"),
    Shade((244, 132, 34), "orange"),
    Shade((250, 200, 12), "yellow"),
    Shade((240, 184, 20), "yellow"),
    Shade((246, 218, 60), "yellow"),
    Shade((158, 204, 32), "lime", "green"),
    Shade((190, 222, 48), "lime", "yellow"),
    Shade((20, 132, 70), "green"),
    Shade((30, 160, 76), "green"),
    Shade((22, 98, 62), "green"),
    Shade((118, 208, 182), "mint"),
    Shade((88, 196, 190), "mint", "sky"),
    Shade((24, 84, 178), "blue"),
    Shade((28, 110, 198), "blue"),
    Shade((22, 58, 138), "blue"),
    Shade((72, 172, 224), "sky", "blue"),
    Shade((112, 194, 228), "sky"),
    Shade((104, 62, 148), "purple"),
    Shade((128, 66, 152), "purple"),
    Shade((80, 52, 128), "purple"),
    Shade((232, 84, 152), "pink"),
    Shade((240, 128, 168), "pink"),
    Shade((198, 66, 136), "pink", "purple"),
    Shade((106, 64, 36), "brown"),
    Shade((136, 86, 48), "brown"),
    Shade((214, 190, 150), "beige"),
    Shade((200, 172, 132), "beige", "brown"),
    Shade((236, 234, 228), "white"),
    Shade((224, 222, 214), "white"),
    Shade((134, 138, 142), "gray"),
    Shade((108, 112, 116), "gray"),
    Shade((34, 34, 36), "black"),
    Shade((46, 46, 50), "black"),
)

WEIGHTS: dict[str, float] = {
    "red": 10, "orange": 5, "yellow": 10, "lime": 4, "green": 10, "mint": 3, "blue": 10, "sky": 5, "purple": 9,
    "pink": 7, "brown": 3, "beige": 4, "white": 7, "gray": 4, "black": 9,
}  # fmt: skip

VOLUME_SHADES: tuple[Shade, ...] = (
    Shade((150, 152, 152), "gray"),
    Shade((120, 124, 128), "gray"),
    Shade((172, 168, 158), "gray", "beige"),
    Shade((90, 92, 96), "gray", "black"),
    Shade((44, 44, 46), "black"),
    Shade((222, 220, 212), "white"),
    Shade((196, 160, 116), "beige", "brown"),
    Shade((214, 184, 140), "beige"),
    Shade((52, 92, 160), "blue"),
    Shade((196, 52, 48), "red"),
    Shade((238, 190, 40), "yellow"),
    Shade((60, 140, 110), "green", "mint"),
)


def draw_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different color names (at most 15), common ones more often."""
    names = list(WEIGHTS)
    weights = np.array([WEIGHTS[name] for name in names])
    return [
        str(name) for name in rng.choice(names, size=min(count, len(names)), replace=False, p=weights / weights.sum())
    ]


def draw_shade(rng: np.random.Generator, name: str) -> Shade:
    """One shade of that name with a little variation between batches."""
    shades = [shade for shade in SHADES if shade.name == name]
    shade = shades[rng.integers(len(shades))]
    red, green, blue = (
        int(v) for v in np.clip(np.array(shade.rgb) * rng.normal(1, 0.03) + rng.normal(0, 4, 3), 8, 250)
    )
    return Shade((red, green, blue), shade.name, shade.alt)


def to_linear(rgb: Rgb | NDArray[np.uint8]) -> NDArray[np.float32]:
    """Linear light 0..1 of sRGB 0..255, any shape."""
    value = np.asarray(rgb, np.float32) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)
