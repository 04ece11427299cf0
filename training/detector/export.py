"""Exports a trained network to ONNX, quantizes it, and lists it in the manifest.

    python -m training.detector.export training/runs/NAME/last.pt

One file serves every size: batch, height and width stay open and are fixed when a service loads it. The float32 export
is checked against the network at every served size. With `--int8` its quantized form ships instead: faster, but boxes
and confidences jump a little where pixels hardly change.
"""

import argparse
import hashlib
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxslim
import torch
from detector.canvas import canvas_wh
from torch import nn

from training.detector.evaluate import load_state, network_of
from training.detector.expectation import without_softmax
from training.detector.quantize import quantize

NAME = "yolo11n-seg-holds"
MODELS_DIR = Path("models")
SERVED_SIDES_PX = (320, 480, 640, 704, 960)
OPSET = 17
MAX_MISMATCH = 0.02  # square pixels or logits, between the network in torch and in ONNX Runtime

TABLE = """[{name}]
service = "detector"
version = "{version}"
date = {date}
licence = "AGPL-3.0-or-later"
data = "Climbing Holds and Volumes v14 by blackcreed-xpgxh, Roboflow Universe, CC BY 4.0"
input = "images float32 (1, 3, H, W) RGB 0..1, multiples of 32, area up to squares of 320, 480, 640, 704, 960"

[{name}.files.network]
path = "{name}.onnx"
sha256 = "{sha256}"
"""


def export(network: nn.Module, path: Path, checked_sides_px: Sequence[int] = SERVED_SIDES_PX) -> None:
    """Write the network as ONNX with open batch, height and width; checked at some sizes.

    Raises:
        ValueError: ONNX Runtime does not give what the network gives.
    """
    head = network.model[-1]
    head.export, head.dynamic, head.format = True, True, "onnx"
    network = network.fuse(verbose=False).float().eval()
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, 640, 640),),
        str(path),
        opset_version=OPSET,
        input_names=["images"],
        output_names=["output0", "output1"],
        dynamic_axes={
            "images": {0: "batch", 2: "height", 3: "width"},
            "output0": {0: "batch", 2: "anchors"},
            "output1": {0: "batch", 2: "mask_height", 3: "mask_width"},
        },
        dynamo=False,
    )
    slim = onnxslim.slim(onnx.load(str(path)))
    without_softmax(slim)
    del slim.graph.value_info[:]  # inferred shapes: 1 MB that every reader infers again
    onnx.save(slim, str(path))
    for side_px in checked_sides_px:
        for width, height in ((1, 1), (4, 3)):
            check(network, path, canvas_wh(width, height, side_px))


@torch.inference_mode()
def check(network: nn.Module, path: Path, wh: tuple[int, int]) -> None:
    """Compare the file with the network on a random picture of one width and height.

    Raises:
        ValueError: They differ by more than `MAX_MISMATCH`.
    """
    options = onnxruntime.SessionOptions()
    for name, size in (("batch", 1), ("height", wh[1]), ("width", wh[0])):
        options.add_free_dimension_override_by_name(name, size)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(0).random((1, 3, wh[1], wh[0]), dtype=np.float32)
    for found, wanted in zip(session.run(None, {"images": picture}), network(torch.from_numpy(picture)), strict=True):
        mismatch = float(np.abs(found - wanted.numpy()).max())
        if mismatch > MAX_MISMATCH:
            raise ValueError(f"{path} at {wh} px is off by {mismatch}")


def list_in_manifest(manifest: Path, sha256: str, version: str, scores: dict[str, float]) -> None:
    """Replace this model's tables in the manifest, or append them; other models stay as they are."""
    lines = manifest.read_text().splitlines(keepends=True) if manifest.exists() else []
    kept, ours = [], False
    for line in lines:
        if line.startswith("["):
            ours = line[1:].startswith((f"{NAME}]", f"{NAME}."))
        if not ours:
            kept.append(line)
    table = TABLE.format(name=NAME, version=version, date=datetime.now(UTC).date(), sha256=sha256)
    if scores:
        table += f"\n[{NAME}.scores]\n" + "".join(f"{key} = {value}\n" for key, value in scores.items())
    before = "".join(kept).rstrip()
    manifest.write_text(f"{before}\n\n{table}" if before else table)


def main() -> None:
    """Export, check, quantize, install and list one checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--int8", action="store_true", help="ship the quantized network")
    parser.add_argument("--version", required=True, help="listed in the manifest")
    parser.add_argument("--score", action="append", default=[], metavar="NAME=VALUE", help="listed in the manifest")
    args = parser.parse_args()
    exact = args.checkpoint.with_name(f"{NAME}-float32.onnx")
    export(network_of(load_state(args.checkpoint)), exact)
    fresh = args.checkpoint.with_name(f"{NAME}-int8.onnx") if args.int8 else exact
    if args.int8:
        quantize(exact, fresh)
    shipped = MODELS_DIR / f"{NAME}.onnx"
    shutil.copyfile(fresh, shipped)
    digest = hashlib.sha256(shipped.read_bytes()).hexdigest()
    scores = {name: float(value) for name, _, value in (text.partition("=") for text in args.score)}
    list_in_manifest(MODELS_DIR / "manifest.toml", digest, args.version, scores)
    print(f"{shipped}: {shipped.stat().st_size / 1e6:.1f} MB, sha256 {digest}")


if __name__ == "__main__":
    main()
