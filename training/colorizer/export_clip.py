"""Turn any open_clip model into what the colorizer serves: two ONNX towers, in float32 and in int8, and a palette.

Run with `make export-clip CLIP_MODEL=ViT-B-32 PRETRAINED=laion2b_s34b_b79k`, or a checkpoint's file instead of the
hub's tag; `random` leaves the weights random, to try the way. The model is entered in the manifest twice: under its own
name in int8, with `-fp32` behind it in float32.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from colorizer.palette import PROMPT
from torch import Tensor, nn

from training.colorizer import onnx_files, towers
from training.colorizer.captions import DISPLAY_RGB, PALETTE
from training.colorizer.manifest import ModelTable, enter
from training.colorizer.served import MODELS, VOCABULARY

RANDOM = "random"
MIN_COSINE = {"fp32": 0.999, "int8": 0.98}
_CHECKED = 16


def export(name: str, pretrained: str, folder: Path) -> None:
    """Write and check all files of a model, and enter it into the manifest.

    Raises:
        SystemExit: A file's embeddings differ from torch's.
    """
    model, preprocess = towers.of_open_clip(name, None if pretrained == RANDOM else pretrained)
    prompts = [PROMPT.format(color) for color in PALETTE]
    tokens = towers.tokenizer_of(name)(prompts)
    onnx_files.write_image_tower(
        model, folder / f"{name}-image-fp32.onnx", preprocess.side_px, preprocess.mean, preprocess.std
    )
    onnx_files.write_text_tower(model, folder / f"{name}-text-fp32.onnx")
    for tower in ("image", "text"):
        onnx_files.quantize(folder / f"{name}-{tower}-fp32.onnx", folder / f"{name}-{tower}-int8.onnx")
    crops = some_crops(preprocess.side_px)
    with torch.no_grad():
        wanted = {
            "image": onnx_files.ImageSide(model, preprocess.mean, preprocess.std)(crops),
            "text": onnx_files.TextSide(model)(tokens),
        }
    towers.write_vocabulary(folder / VOCABULARY)
    for kind, suffix in (("fp32", "-fp32"), ("int8", "")):
        check(folder, name, kind, {"image": crops, "text": tokens}, wanted)
        texts = onnx_files.answers(folder / f"{name}-text-{kind}.onnx", tokens.numpy())
        write_palette(folder / f"{name}-palette-{kind}.npz", texts, float(model.logit_scale.exp()))
        enter(folder, table(f"{name}{suffix}", name, kind, pretrained, preprocess.side_px))


def check(folder: Path, name: str, kind: str, inputs: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Compare the files of one kind with torch."""
    for tower, rows in inputs.items():
        file = folder / f"{name}-{tower}-{kind}.onnx"
        cosine = onnx_files.least_cosine(onnx_files.answers(file, rows.numpy()), wanted[tower].numpy())
        print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB, least cosine with torch {cosine:.5f}", flush=True)
        if cosine < MIN_COSINE[kind]:
            raise SystemExit(f"{file}: cosine with torch only {cosine:.4f}")


def some_crops(side_px: int) -> Tensor:
    """(16, S, S, 3) uint8 shaded blobs in many colors."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (_CHECKED, 3, 5, 5)).astype(np.float32))
    smooth = nn.functional.interpolate(coarse, (side_px, side_px), mode="bicubic").clamp(0, 255)
    return smooth.permute(0, 2, 3, 1).round().to(torch.uint8)


def write_palette(path: Path, embeddings: onnx_files.Floats, logit_scale: float) -> None:
    """The shipped palette in this model's embeddings; it always answers, as nothing is known of its errors."""
    np.savez(
        path,
        names=np.array(list(PALETTE)),
        prompts=np.array([PROMPT.format(color) for color in PALETTE]),
        display_rgb=np.array([DISPLAY_RGB[color] for color in PALETTE], np.uint8),
        embeddings=embeddings,
        logit_scale=np.float32(logit_scale),
        min_confidence=np.float32(0),
    )


def table(entry: str, name: str, kind: str, pretrained: str, side_px: int) -> ModelTable:
    """The manifest's entry for the files of one kind."""
    return ModelTable(
        name=entry,
        version=f"{Path(pretrained).stem}-{kind}",
        licence="that of the weights",
        data=f"open_clip {name}, {Path(pretrained).name}",
        input=f"crops uint8 (batch, {side_px}, {side_px}, 3) RGB, filled outside the eroded mask",
        files={
            "image": f"{name}-image-{kind}.onnx",
            "palette": f"{name}-palette-{kind}.npz",
            "text": f"{name}-text-{kind}.onnx",
            "vocabulary": VOCABULARY,
        },
        scores={},
    )


def main() -> int:
    """Export what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a name of open_clip's, such as ViT-B-32")
    parser.add_argument("pretrained", help="a tag of its hub, a checkpoint's file, or random")
    parser.add_argument("--out", type=Path, default=MODELS, help="the models folder with the manifest")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    export(args.model, args.pretrained, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
