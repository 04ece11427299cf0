"""Towers as the service reads them: ONNX files from bytes and tokens to unit vectors, in float16 or int8."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

OPSET = 17
CONTEXT = 77
SMALLEST_HALVED = 256
"""Arrays with fewer numbers stay float32: they hardly weigh anything and biases gain from precision."""

Floats = NDArray[np.float32]
Encode = Callable[..., Tensor]


class ImageSide(nn.Module):
    """The image tower from stored bytes to unit vectors."""

    def __init__(self, model: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1) * 255)

    def forward(self, crops: Tensor) -> Tensor:
        """(B, S, S, 3) uint8 to (B, D) float32."""
        pixels = (crops.permute(0, 3, 1, 2).float() - self.mean) / self.std
        embeddings: Tensor = self.model.encode_image(pixels, normalize=True)
        return embeddings


class TextSide(nn.Module):
    """The text tower from tokens to unit vectors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, 77) int64 to (B, D) float32."""
        embeddings: Tensor = self.model.encode_text(tokens, normalize=True)
        return embeddings


class FewTokens(nn.Module):
    """An embedding table without the tokens that stand for nothing, which share one row of zeros."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        used = table.abs().sum(dim=1) > 0
        rows = torch.where(used, used.cumsum(dim=0), 0)
        self.register_buffer("row", rows.to(torch.int32))
        self.register_buffer("table", torch.cat((torch.zeros(1, table.shape[1]), table[used])))

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L) to (B, L, W)."""
        found: Tensor = self.table[self.row[tokens]]
        return found


def write_image_tower(model: nn.Module, path: Path, side_px: int, mean: Sequence[float], std: Sequence[float]) -> None:
    """Write `crops` (batch, S, S, 3) uint8 to `embeddings`, in float32."""
    example = torch.zeros(2, side_px, side_px, 3, dtype=torch.uint8)
    _write(ImageSide(model, mean, std), example, "crops", path)


def write_text_tower(model: nn.Module, path: Path) -> None:
    """Write `tokens` (batch, 77) int64 to `embeddings`, in float32."""
    tokens = torch.zeros(2, CONTEXT, dtype=torch.int64)
    tokens[:, 0], tokens[:, 1] = 49406, 49407
    _write(TextSide(model), tokens, "tokens", path)


def _write(side: nn.Module, example: Tensor, name: str, path: Path) -> None:
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(value=False)  # its attention has no ONNX counterpart
    try:
        torch.onnx.export(
            side.eval(), (example,), str(path), input_names=[name], output_names=["embeddings"],
            dynamic_axes={name: {0: "batch"}, "embeddings": {0: "batch"}}, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    finally:
        torch.backends.mha.set_fastpath_enabled(value=fast)


def halve(path: Path) -> None:
    """Store the large weights as float16, each behind a Cast; ONNX Runtime turns them back when it loads."""
    network = onnx.load(path)
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
    onnx.checker.check_model(network)
    onnx.save(network, path)


def quantize(path: Path, out: Path) -> None:
    """Write the network with its matrices in int8; activations are quantized as they come."""
    quantize_dynamic(path, out, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def answers(path: Path, rows: NDArray[np.uint8] | NDArray[np.int64], *, at_once: int = 8) -> Floats:
    """(N, D) what a written network answers to N inputs."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: rows[i : i + at_once]})[0] for i in range(0, len(rows), at_once)]
    return np.concatenate(parts).astype(np.float32)


def least_cosine(found: Floats, wanted: Floats) -> float:
    """The smallest cosine between rows of unit vectors."""
    return float((found * wanted).sum(axis=1).min())
