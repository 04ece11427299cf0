"""A models folder whose detector takes a millisecond: thousands of photos pass through real services in minutes."""

import hashlib
import re
from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE_PX = 320
HOLDS = 3
_MODELS = Path(__file__).parents[2] / "models"
_SAMPLE = Path(__file__).parents[2] / "assets" / "sample-wall.jpg"
_NETWORK = "yolo11n-seg-holds.onnx"
_BOX_PX = 60


def write_models(folder: Path) -> Path:
    """Write the folder: the shipped models, with a toy in place of the detector's network."""
    for file in _MODELS.iterdir():
        if file.name != _NETWORK:
            (folder / file.name).write_bytes(file.read_bytes())
    network = folder / _NETWORK
    _write_network(network)
    digest = hashlib.sha256(network.read_bytes()).hexdigest()
    manifest = folder / "manifest.toml"
    manifest.write_text(re.sub(rf'(path = "{_NETWORK}"\nsha256 = )"\w+"', rf'\g<1>"{digest}"', manifest.read_text()))
    return folder


def small_photo() -> bytes:
    """The sample photo at the toy's size."""
    photo = cv2.imread(str(_SAMPLE))
    if photo is None:
        raise FileNotFoundError(_SAMPLE)
    small = cv2.resize(photo, (SIDE_PX, SIDE_PX * photo.shape[0] // photo.shape[1]), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small)[1])


def _write_network(path: Path) -> None:
    """A network that finds the same holds in every picture: constants, and nothing of the picture added to them."""
    predictions = np.zeros((1, 38, HOLDS), np.float32)
    for number in range(HOLDS):
        predictions[0, :5, number] = (80 + 80 * number, SIDE_PX / 2, _BOX_PX, _BOX_PX, 0.9)
        predictions[0, 6, number] = 1
    prototypes = np.ones((1, 32, SIDE_PX // 4, SIDE_PX // 4), np.float32)
    constants: dict[str, NDArray[np.float32]] = {
        "predictions": predictions,
        "planes": prototypes,
        "zero": np.zeros((), np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["predictions", "nothing"], ["output0"]),
        helper.make_node("Add", ["planes", "nothing"], ["output1"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE_PX, SIDE_PX])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("output0", "output1")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
