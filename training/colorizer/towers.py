"""The dual-tower model: an open_clip config of our own, and what open_clip leaves to the trainer."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training import _torchvision_shim

_torchvision_shim.install()

import open_clip  # noqa: E402  (needs a torchvision that imports)
from open_clip import CustomTextCLIP  # noqa: E402

Clip: TypeAlias = CustomTextCLIP
"""Our model's class; `visual` and `text` are its towers."""

NAME = "climbmate-clip"
PIXEL_MEAN, PIXEL_STD = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD


def build() -> Clip:
    """A freshly initialized model."""
    open_clip.add_model_config(Path(__file__).with_name(f"{NAME}.json"))
    model: Clip = open_clip.create_model(NAME)
    return model


def restore(checkpoint: Path) -> Clip:
    """The model with the averaged weights of a checkpoint, ready to answer."""
    model = build()
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["model"])
    model.eval()
    return model


def normalized(pixels: Tensor) -> Tensor:
    """(B, S, S, 3) uint8 to the (B, 3, S, S) float32 that the image tower expects."""
    mean, std = torch.tensor(PIXEL_MEAN) * 255, torch.tensor(PIXEL_STD) * 255
    return ((pixels.float() - mean) / std).permute(0, 3, 1, 2)


def encode_crops(model: Clip, pixels: Tensor) -> Tensor:
    """(B, D) L2-normalized embeddings of (B, S, S, 3) uint8 crops."""
    images = normalized(pixels).contiguous(memory_format=torch.channels_last)
    embeddings: Tensor = model.encode_image(images, normalize=True)
    return embeddings


def encode_all_crops(model: Clip, pixels: NDArray[np.uint8]) -> Tensor:
    """The same for any number of crops, a few at a time."""
    return torch.cat([encode_crops(model, torch.from_numpy(pixels[i : i + 64])) for i in range(0, len(pixels), 64)])


def encode_captions(model: Clip, captions: list[str]) -> Tensor:
    """(N, D) L2-normalized embeddings.

    open_clip pads every caption to the whole context. The mask is causal and pooling takes the end token, so cutting
    the padding off changes nothing and saves most of the work.
    """
    tokens = open_clip.get_tokenizer(NAME)(captions)
    longest = int((tokens != 0).sum(dim=1).max())
    whole = model.text.attn_mask
    model.text.attn_mask = whole[:longest, :longest]
    try:
        embeddings: Tensor = model.encode_text(tokens[:, :longest], normalize=True)
    finally:
        model.text.attn_mask = whole
    return embeddings
