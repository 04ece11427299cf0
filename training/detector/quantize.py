"""Makes the int8 network out of the float32 one: `python -m training.detector.quantize FLOAT32.onnx INT8.onnx`.

Static quantization in the QDQ format: scales are measured once, on training photos letterboxed as the service does it.
Weights keep 7 of 8 bits and every channel its own scale, because processors without VNNI add pairs of products in 16
bits, which 8 bits overflow (ONNX Runtime's `reduce_range`). The head's last layers and what decodes boxes stay float32:
256 steps are too few for a box's corner, and make confidences and outlines jump where a pixel changes a little. So do
the first layer, whose three channels fill no register of 8 bits, and attention's scores with their softmax: these are
faster in float32, and the network is right more often.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from detector.canvas import canvas_wh
from detector.letterbox import Letterbox
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.calibrate import CalibrationMethod

from training.detector.walls import read_photo, read_walls

SIDE_PX = 640
PHOTOS = 64
EXACT = ("dfl/", "proto/upsample/")  # inside the head: distances, and the last layer of the prototypes
LAST_OF_BRANCH = re.compile(r"cv[234]\.\d/cv[234]\.\d\.2/")
FIRST = "/model.0/"
ATTENTION = ("attn/MatMul", "attn/Softmax")


class Photos(CalibrationDataReader):
    """Training photos as the network sees them, one by one, spread over all walls."""

    def __init__(self, count: int) -> None:
        walls = read_walls("train")
        self._feeds = iter([walls[i].photo for i in np.linspace(0, len(walls) - 1, count).astype(int)])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next photo's input, or None after the last."""
        photo = next(self._feeds, None)
        if photo is None:
            return None
        rgb = read_photo(photo)[..., ::-1]
        wh = (rgb.shape[1], rgb.shape[0])
        return {"images": Letterbox.fitting(*wh, canvas_wh(*wh, SIDE_PX)).image(rgb)}


def exact_nodes(model: onnx.ModelProto) -> Iterator[str]:
    """Names of the nodes that stay float32: the first layer, attention's scores, and the head's end."""
    names = [node.name for node in model.graph.node if node.name.startswith("/model.")]
    head = "/model." + str(max(int(name.split("/")[1].removeprefix("model.")) for name in names)) + "/"
    for name in names:
        inner = name.removeprefix(head)
        ends = name.startswith(head) and ("/" not in inner or inner.startswith(EXACT) or LAST_OF_BRANCH.match(inner))
        if ends or name.startswith(FIRST) or name.endswith(ATTENTION):
            yield name


def quantize(source: Path, target: Path, photos: int = PHOTOS) -> None:
    """Write the int8 network; shapes stay as open as they are."""
    quantize_static(
        str(source),
        str(target),
        Photos(photos),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=list(exact_nodes(onnx.load(str(source)))),
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"CalibMovingAverage": True, "CalibTensorRangeSymmetric": False},
    )
    model = onnx.load(str(target))
    del model.graph.value_info[:]
    onnx.save(model, str(target))


def main() -> None:
    """Quantize one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    args = parser.parse_args()
    quantize(args.source, args.target)
    for path in (args.source, args.target):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
