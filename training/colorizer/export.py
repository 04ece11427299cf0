"""Write the trained model as the service reads it: two ONNX towers, a palette, and the manifest's entry.

Run with `python -m training.colorizer.export training/runs/color-clip/checkpoint.pt`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from colorizer.palette import PROMPT
from numpy.typing import NDArray

from training.colorizer import calibration, onnx_files, towers
from training.colorizer.cache import CACHE, load_lights
from training.colorizer.captions import DISPLAY_RGB, PALETTE
from training.colorizer.scores import palette_embeddings
from training.colorizer.served import IMAGE, MODELS, PALETTE_FILE, TEXT, VOCABULARY
from training.colorizer.train import DEV, SIDE_PX, split
from training.colorizer.views import prepared

MIN_COSINE = 0.999


def write_image_side(model: towers.Clip, folder: Path) -> None:
    """Write the image tower with float16 weights.

    Raises:
        SystemExit: Some embedding differs from torch's.
    """
    onnx_files.write_image_tower(model, folder / IMAGE, SIDE_PX, towers.PIXEL_MEAN, towers.PIXEL_STD)
    crops = prepared([crop for crop, _ in split(DEV)[1]], SIDE_PX, lights=load_lights(CACHE / "lights.npz"))
    with torch.no_grad():
        _shrink(folder / IMAGE, crops, towers.encode_all_crops(model, crops).numpy())


def write_text_side(model: towers.Clip, folder: Path) -> None:
    """Write the text tower, likewise, and its vocabulary; the model's own text tower loses the tokens it never learned.

    Raises:
        SystemExit: Some embedding differs from torch's.
    """
    tokens = towers.all_tokens_of([PROMPT.format(name) for name in PALETTE])
    with torch.no_grad():
        wanted = towers.encode_tokens(model, tokens).numpy()
    model.text.token_embedding = onnx_files.FewTokens(model.text.token_embedding.weight.detach())
    onnx_files.write_text_tower(model, folder / TEXT)
    _shrink(folder / TEXT, tokens.numpy(), wanted)
    towers.write_vocabulary(folder / VOCABULARY)


def _shrink(path: Path, inputs: NDArray[np.uint8] | NDArray[np.int64], wanted: onnx_files.Floats) -> None:
    onnx_files.halve(path)
    cosine = onnx_files.least_cosine(onnx_files.answers(path, inputs), wanted)
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, least cosine with torch {cosine:.5f}")
    if cosine < MIN_COSINE:
        raise SystemExit(f"{path}: cosine with torch only {cosine:.4f}")


def write_palette(model: towers.Clip, folder: Path) -> None:
    """Names, prompts, display colors, embeddings and temperature; no pickles."""
    np.savez(
        folder / PALETTE_FILE,
        names=np.array(list(PALETTE)),
        prompts=np.array([PROMPT.format(name) for name in PALETTE]),
        display_rgb=np.array([DISPLAY_RGB[name] for name in PALETTE], np.uint8),
        embeddings=palette_embeddings(model).numpy(),
        logit_scale=np.float32(model.logit_scale.exp().item()),
        min_confidence=np.float32(0),
    )


def main() -> int:
    """Export, compare with torch, calibrate, and enter the model into the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    args = parser.parse_args()
    model = towers.restore(args.checkpoint)
    write_image_side(model, MODELS)
    write_palette(model, MODELS)
    write_text_side(model, MODELS)
    calibration.calibrate(MODELS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
