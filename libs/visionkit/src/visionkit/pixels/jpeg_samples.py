"""What both decoders of JPEGs hand over."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FILLING = 128  # what libjpeg gives for samples that are lost


class Decoded(NamedTuple):
    """(H, W, C) uint8 samples in stored orientation, and whether the decoder noticed that some of them are lost."""

    samples: NDArray[np.uint8]
    damaged: bool
