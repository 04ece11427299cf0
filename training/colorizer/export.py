"""Write the trained model as the service reads it: an ONNX image tower, a palette, and the manifest's entry.

Run with `python -m training.colorizer.export training/runs/color-clip/checkpoint.pt`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from torch import Tensor, nn

from training.colorizer import towers
from training.colorizer.calibration import calibrated_scale
from training.colorizer.captions import DISPLAY_RGB, PALETTE, PROMPT
from training.colorizer.scores import ColorScore, palette_embeddings, prepared, summarize
from training.colorizer.train import SIDE_PX, Labeled, split

MODELS = Path("models")
IMAGE = f"{towers.NAME}-image.onnx"
PALETTE_FILE = f"{towers.NAME}-palette.npz"
VERSION = "0.1.0"
OPSET = 17
MIN_COSINE = 0.999
SMALLEST_HALVED = 256
"""Arrays with fewer numbers stay float32: they hardly weigh anything and biases gain from precision."""


class ServedTower(nn.Module):
    """The image tower from stored bytes to unit vectors."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, crops: Tensor) -> Tensor:
        """(B, S, S, 3) uint8 to (B, D) float32."""
        return nn.functional.normalize(self.visual(towers.normalized(crops)), dim=-1)


def write_image_tower(model: towers.Clip, path: Path) -> None:
    """Export with weights stored as float16; ONNX Runtime turns them back when it loads, so it computes in float32."""
    example = torch.zeros(2, SIDE_PX, SIDE_PX, 3, dtype=torch.uint8)
    torch.onnx.export(
        ServedTower(model.visual).eval(), (example,), str(path), input_names=["crops"], output_names=["embeddings"],
        dynamic_axes={"crops": {0: "batch"}, "embeddings": {0: "batch"}}, opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    halved = with_halved_weights(onnx.load(path))
    onnx.checker.check_model(halved)
    onnx.save(halved, path)


def with_halved_weights(network: onnx.ModelProto) -> onnx.ModelProto:
    """Store the large weights as float16, each behind a Cast to float32."""
    casts = []
    for weight in network.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < SMALLEST_HALVED:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *network.graph.node]
    del network.graph.node[:]
    network.graph.node.extend(nodes)
    return network


def write_palette(model: towers.Clip, path: Path, logit_scale: float) -> None:
    """Names, prompts, display colors, embeddings and temperature; no pickles."""
    np.savez(
        path,
        names=np.array(list(PALETTE)),
        prompts=np.array([PROMPT.format(name) for name in PALETTE]),
        display_rgb=np.array([DISPLAY_RGB[name] for name in PALETTE], np.uint8),
        embeddings=palette_embeddings(model).numpy().astype(np.float32),
        logit_scale=np.float32(logit_scale),
    )


def served_shares(folder: Path, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embeddings and softmax shares that the written files give."""
    session = ort.InferenceSession(str(folder / IMAGE), providers=["CPUExecutionProvider"])
    embeddings = np.concatenate([session.run(None, {"crops": pixels[i : i + 8]})[0] for i in range(0, len(pixels), 8)])
    with np.load(folder / PALETTE_FILE) as palette:
        logits = embeddings @ palette["embeddings"].T * palette["logit_scale"]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return embeddings, shares / shares.sum(axis=1, keepdims=True)


def verify(model: towers.Clip, folder: Path, dev: list[Labeled]) -> ColorScore:
    """Compare the written files with torch on the dev crops, and score them.

    Raises:
        SystemExit: Some embedding differs from torch's.
    """
    pixels = prepared([crop for crop, _ in dev], SIDE_PX)
    embeddings, shares = served_shares(folder, pixels)
    with torch.no_grad():
        reference = towers.encode_crops(model, torch.from_numpy(pixels)).numpy()
    cosine = float((embeddings * reference).sum(axis=1).min())
    if cosine < MIN_COSINE:
        raise SystemExit(f"{IMAGE}: cosine with torch only {cosine:.4f}")
    return summarize([label for _, label in dev], shares)


def table_of(folder: Path, score: ColorScore) -> str:
    """The model's table in the manifest."""
    digests = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (IMAGE, PALETTE_FILE)]
    return f"""\
[{towers.NAME}]
service = "colorizer"
version = "{VERSION}"
date = {dt.datetime.now(dt.UTC).date()}
licence = "AGPL-3.0-or-later"
data = "Climbing Holds and Volumes v14 (CC BY 4.0), re-colored; color names of this project and of the XKCD survey"
input = "crops uint8 (batch, {SIDE_PX}, {SIDE_PX}, 3) RGB, filled outside the eroded mask"

[{towers.NAME}.files.image]
path = "{IMAGE}"
sha256 = "{digests[0]}"

[{towers.NAME}.files.palette]
path = "{PALETTE_FILE}"
sha256 = "{digests[1]}"

[{towers.NAME}.scores]
dev_color_top1 = {score.top1:.3f}
dev_expected_calibration_error = {score.expected_calibration_error:.3f}
"""


def enter(manifest: Path, table: str) -> None:
    """Put the table into the manifest in place of the old one; other tables stay as they are."""
    text = manifest.read_text() if manifest.exists() else ""
    own = re.compile(rf"^\[{towers.NAME}\]\n.*?(?=^\[(?!{towers.NAME}[.\]])|\Z)", re.MULTILINE | re.DOTALL)
    if own.search(text):
        manifest.write_text(own.sub(lambda _: f"{table}\n", text, count=1).rstrip() + "\n")
    else:
        manifest.write_text(f"{text.rstrip()}\n\n{table}".lstrip())


def main() -> int:
    """Export, compare, score, and enter the model into the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    args = parser.parse_args()
    model = towers.restore(args.checkpoint)
    write_image_tower(model, MODELS / IMAGE)
    learns, dev = split(None)
    write_palette(model, MODELS / PALETTE_FILE, calibrated_scale(model, learns, SIDE_PX))
    score = verify(model, MODELS, dev)
    enter(MODELS / "manifest.toml", table_of(MODELS, score))
    print(
        f"{IMAGE}: {(MODELS / IMAGE).stat().st_size / 1e6:.1f} MB, dev top1 {score.top1:.3f}, "
        f"calibration error {score.expected_calibration_error:.3f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
