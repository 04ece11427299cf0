"""The least that the work can cost: decode and both networks in one process, with nothing around them."""

import time
from pathlib import Path

import numpy as np
from colorizer.settings import ColorizerSettings
from detector import canvas
from detector.letterbox import Letterbox
from detector.settings import DetectorSettings
from visionkit import codec, manifest, threads
from visionkit.header import probe
from visionkit.session import OnnxModel

Milliseconds = dict[str, float]


class BareWork:
    """The same decoder, networks, sizes and batches as the services at their defaults.

    Args:
        models_dir: The folder with `manifest.toml`.
        cpus: Threads of each network.
    """

    def __init__(self, models_dir: Path, *, cpus: int) -> None:
        threads.limit(cpus)
        models = manifest.load(models_dir)
        detector, colorizer = DetectorSettings(), ColorizerSettings()
        self._side_px = detector.yolo_img_size
        self._max_side_px = detector.max_image_size
        self._batch = colorizer.clip_batch_size
        self._yolo = OnnxModel(
            models.model(detector.detector_model).verified_path("network"),
            threads=cpus,
            dims={"batch": 1},
            sizes=canvas.sizes((self._side_px,)),
        )
        self._clip = OnnxModel(
            models.model(colorizer.clip_model).verified_path("image"), threads=cpus, dims={"batch": self._batch}
        )
        self._crops = {name: np.zeros(spec.shape, spec.dtype) for name, spec in self._clip.inputs.items()}
        self._yolo.warm_up()
        self._clip.warm_up()

    def run(self, photo: bytes, hold_count: int) -> Milliseconds:
        """Decode the photo, run YOLO on it once, and CLIP for as many batches as the holds make."""
        start = time.perf_counter()
        rgb = codec.decode(photo, probe(photo), max_side_px=self._max_side_px).rgb
        decoded = time.perf_counter()
        wh = (rgb.shape[1], rgb.shape[0])
        image = Letterbox.fitting(*wh, canvas.canvas_wh(*wh, self._side_px)).image(rgb)
        prepared = time.perf_counter()
        self._yolo.run({"images": image})
        detected = time.perf_counter()
        for _ in range(-(-hold_count // self._batch)):
            self._clip.run(self._crops)
        colored = time.perf_counter()
        spans = {"decode": decoded - start, "detect": detected - prepared, "embed": colored - detected}
        return {name: 1000 * seconds for name, seconds in spans.items()}
