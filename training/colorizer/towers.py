"""The dual-tower model: an open_clip config of our own, and what open_clip leaves to the trainer."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training import _torchvision_shim
from training.colorizer.constants import constant

_torchvision_shim.install()

import open_clip  # noqa: E402  (needs a torchvision that imports)
from open_clip import CustomTextCLIP  # noqa: E402

Clip: TypeAlias = CustomTextCLIP
"""Our model's class; `visual` and `text` are its towers."""

NAME = "climbmate-clip"
PIXEL_MEAN, PIXEL_STD = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD


def build(name: str = NAME) -> Clip:
    """A freshly initialized model of the config with this name."""
    open_clip.add_model_config(Path(__file__).with_name(f"{name}.json"))
    model: Clip = open_clip.create_model(name)
    return model


@dataclass(frozen=True, slots=True)
class Preprocess:
    """What an image tower expects: the side of its input, and mean and standard deviation of its pixels (0..1)."""

    side_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


def of_open_clip(name: str, pretrained: str | None) -> tuple[nn.Module, Preprocess]:
    """Any model of open_clip's, with the weights of a tag or a file, or random ones."""
    model: nn.Module = open_clip.create_model(name, pretrained=pretrained)
    wanted = open_clip.get_model_preprocess_cfg(model)
    side = wanted["size"]
    side_px = int(side if isinstance(side, int) else side[0])
    return model.eval(), Preprocess(side_px, tuple(wanted["mean"]), tuple(wanted["std"]))


def tokenizer_of(name: str) -> Callable[[list[str]], Tensor]:
    """The tokenizer that belongs to a model: (N, 77) tokens of N captions."""
    tokenizer: Callable[[list[str]], Tensor] = open_clip.get_tokenizer(name)
    return tokenizer


def restore(checkpoint: Path) -> Clip:
    """The model with the averaged weights of a checkpoint, ready to answer."""
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    model = build(saved["name"])
    model.load_state_dict(saved["model"])
    model.eval()
    return model


def save(model: Clip, name: str, path: Path) -> None:
    """Write the weights as float16, which is what is served, with the name of their config."""
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = {key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()}
    torch.save({"name": name, "model": {key: value.cpu() for key, value in halves.items()}}, path)


def normalized(pixels: Tensor) -> Tensor:
    """(B, 3, S, S) 0..255 to what the image tower expects."""
    mean, std = (constant(pixels.device, *v).view(-1, 1, 1) for v in (PIXEL_MEAN, PIXEL_STD))
    return (pixels.float() / 255 - mean) / std


def encode_crops(model: Clip, pixels: Tensor) -> Tensor:
    """(B, D) L2-normalized embeddings of (B, 3, S, S) crops 0..255."""
    images = normalized(pixels).contiguous(memory_format=torch.channels_last)
    embeddings: Tensor = model.encode_image(images, normalize=True)
    return embeddings


def encode_all_crops(model: Clip, pixels: NDArray[np.uint8]) -> Tensor:
    """The same for any number of crops (N, S, S, 3), a few at a time; on the CPU."""
    device = model.logit_scale.device
    parts = [torch.from_numpy(pixels[i : i + 64]).to(device).permute(0, 3, 1, 2) for i in range(0, len(pixels), 64)]
    return torch.cat([encode_crops(model, part) for part in parts]).cpu()


def tokens_of(captions: list[str]) -> Tensor:
    """(N, L) tokens of captions; L is the longest one's.

    open_clip pads every caption to the whole context. The mask is causal and pooling takes the end token, so cutting
    the padding off changes nothing and saves most of the work.
    """
    tokens = all_tokens_of(captions)
    return tokens[:, : int((tokens != 0).sum(dim=1).max())]


def all_tokens_of(captions: list[str]) -> Tensor:
    """(N, 77) the same with all padding."""
    tokens: Tensor = open_clip.get_tokenizer(NAME)(captions)
    return tokens


def write_vocabulary(path: Path) -> None:
    """Write the merges of open_clip's tokenizer, one pair a line, as `colorizer.tokenizer` reads them."""
    merges = open_clip.tokenizer.SimpleTokenizer().bpe_ranks
    lines = [" ".join(pair) for pair in sorted(merges, key=merges.__getitem__)]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


def encode_tokens(model: Clip, tokens: Tensor) -> Tensor:
    """(N, D) L2-normalized embeddings of (N, L) tokens."""
    length, whole = tokens.shape[1], model.text.attn_mask
    model.text.attn_mask = whole[:length, :length]
    try:
        embeddings: Tensor = model.encode_text(tokens, normalize=True)
    finally:
        model.text.attn_mask = whole
    return embeddings


def encode_captions(model: Clip, captions: list[str]) -> Tensor:
    """(N, D) L2-normalized embeddings, on the CPU."""
    return encode_tokens(model, tokens_of(captions).to(model.logit_scale.device)).cpu()
