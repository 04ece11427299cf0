"""How many threads the decoders may use; they would count the node's cores, not the pod's."""

import cv2

from visionkit.container.heic import TILES_AT_ONCE
from visionkit.pixels import heic


def limit(threads: int) -> None:
    """Let OpenCV and libheif use at most `threads` threads; for the whole process, to be called once at its start."""
    cv2.setNumThreads(threads)
    if heic.pillow_heif is not None:
        heic.pillow_heif.options.DECODE_THREADS = min(threads, TILES_AT_ONCE)
