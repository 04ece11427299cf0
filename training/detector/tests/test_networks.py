"""The shipped network's prototypes take less work than ultralytics', and can be as good."""

import torch
from torch import nn

from training.detector.networks import SHIPPED, LeanProto, build

from ultralytics.nn.modules.block import Proto  # isort: skip


@torch.no_grad()
def test_two_linear_layers_of_the_prototypes_are_one():
    usual = Proto(c1=16, c_=16, c2=8).eval()
    nn.init.zeros_(usual.upsample.bias)
    lean = LeanProto(usual).eval()
    both = torch.einsum("om,imhw->iohw", usual.cv3.conv.weight[:, :, 0, 0], usual.upsample.weight)
    lean.upsample.conv_transpose.weight.copy_(both)
    features = torch.rand(2, 16, 6, 5, generator=torch.Generator().manual_seed(0))
    wanted = usual.cv3(usual.upsample(usual.cv2(usual.cv1(features))))
    torch.testing.assert_close(lean(features), wanted)


def test_all_norms_of_the_shipped_network_are_alike():
    norms = [module for module in build(SHIPPED).modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.03)}
