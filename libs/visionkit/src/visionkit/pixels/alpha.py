"""Transparency: photos are shown on white, as viewers and browsers do."""

import numpy as np

from visionkit.pixels.raster import Samples

_STRIP_ROWS = 64


def lay_on_white(samples: Samples, *, premultiplied: bool = False) -> None:
    """Blend the colors with white by their alpha, in place; alpha itself is left as it was.

    At full size, because shrinking first would mix in the hidden colors of transparent pixels; in strips, because
    the blending needs floats.

    Args:
        samples: (H, W, 4), alpha last.
        premultiplied: Whether the colors are already weighted by alpha.
    """
    white = np.float32(255 if samples.dtype == np.uint8 else 65535)
    if samples[..., 3].min() == white:
        return
    for top in range(0, len(samples), _STRIP_ROWS):
        strip = samples[top : top + _STRIP_ROWS]
        opacity = strip[..., 3:] / white
        colors = strip[..., :3] * (np.float32(1) if premultiplied else opacity)
        strip[..., :3] = np.rint(np.minimum(colors + white * (1 - opacity), white))
