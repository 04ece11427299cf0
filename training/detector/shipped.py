"""Turns the shipped ONNX file back into a network that can be trained further: on other photos, or for longer.

The file's batch norms are folded into its convolutions. They come back as norms that undo what they normalize by, with
the means and variances of real photos, so that training goes on where it stopped. Quantized weights come back as the
numbers that they stand for.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from torch import Tensor, nn

from training.detector.networks import build
from training.detector.walls import read_photo, read_walls

PHOTOS = 16
SIDE_PX = 448
QUANTIZED = "_DequantizeLinear_Output"  # what ONNX Runtime's quantization adds to a weight's name


def from_onnx(path: Path, architecture: str) -> nn.Module:
    """A network in training mode with the weights of an exported file.

    Raises:
        ValueError: The file is of another architecture.
    """
    weights = _weights(onnx.load(str(path)).graph)
    network = build(architecture)
    try:
        with torch.no_grad():
            for name, value in _folded(network):
                value.copy_(weights[name])
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{path} is no file of {architecture}: {error}") from error
    _normalize(network, _pictures())
    return network.train()


def _weights(graph: onnx.GraphProto) -> dict[str, Tensor]:
    """All constants by name; what is quantized also by the name that it had before."""
    stored = {tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    plain = dict(stored)
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            value, scale, zero = (stored[name] for name in node.input)
            by_filter = (-1, *[1] * (value.ndim - 1))
            scaled = (value.float() - zero.float().reshape(by_filter)) * scale.reshape(by_filter)
            plain[node.output[0].removesuffix(QUANTIZED)] = scaled
    return plain


def _folded(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """What the file has a weight for, by its name there; a norm stands for the bias of its convolution."""
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.fill_(1 - module.eps)
            layer = name.removesuffix(".bn")
            transposed = hasattr(network.get_submodule(layer), "conv_transpose")
            yield f"{layer}.{'conv_transpose' if transposed else 'conv'}.bias", module.bias
        elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) and not name.endswith("dfl.conv"):  # 0 to 15, fixed
            yield f"{name}.weight", module.weight
            if module.bias is not None:
                yield f"{name}.bias", module.bias


@torch.no_grad()
def _normalize(network: nn.Module, pictures: Tensor) -> None:
    """Let every norm normalize by what it sees, and give it the weight and bias that undo it."""
    network.eval()
    hooks = [
        module.register_forward_pre_hook(_settle) for module in network.modules() if isinstance(module, nn.BatchNorm2d)
    ]
    network(pictures)
    for hook in hooks:
        hook.remove()


def _settle(norm: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
    variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3))
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.add_(mean)


def _pictures() -> Tensor:
    """(N, 3, S, S) float32 training photos, squeezed into squares."""
    walls = read_walls("train")
    photos = [read_photo(walls[i].photo) for i in np.linspace(0, len(walls) - 1, PHOTOS).astype(int)]
    squares = np.stack([cv2.resize(photo, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) for photo in photos])
    return torch.from_numpy(squares[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255
