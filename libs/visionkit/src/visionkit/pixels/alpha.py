"""Transparency: photos are shown on white, as viewers and browsers do."""

import cv2
import numpy as np

from visionkit.pixels.raster import Samples

_STRIP_ROWS = 64


def lay_on_white(samples: Samples, *, premultiplied: bool = False) -> None:
    """Blend the colors with white by their alpha, in place; alpha itself is left as it was.

    At full size, because shrinking first would mix in the hidden colors of transparent pixels, and in strips to
    stay small.

    Args:
        samples: (H, W, 4), alpha last.
        premultiplied: Whether the colors are already weighted by alpha.
    """
    white = 255 if samples.dtype == np.uint8 else 65535
    if samples[..., 3].min() == white:
        return
    for top in range(0, len(samples), _STRIP_ROWS):
        strip = samples[top : top + _STRIP_ROWS]
        colors = np.ascontiguousarray(strip[..., :3])
        opacity = cv2.cvtColor(strip[..., 3], cv2.COLOR_GRAY2RGB)
        strip[..., :3] = (
            cv2.add(colors, white - opacity)
            if premultiplied
            else white - cv2.multiply(white - colors, opacity, scale=1 / white)
        )
