"""The networks that can be trained: ultralytics' segmentation models, all with one prediction for each place."""

from pathlib import Path
from typing import Any

from training import _torchvision_shim

_torchvision_shim.install()

import ultralytics  # noqa: E402
import yaml  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from ultralytics.nn.modules.block import Proto  # noqa: E402
from ultralytics.nn.modules.conv import ConvTranspose  # noqa: E402
from ultralytics.nn.tasks import SegmentationModel  # noqa: E402
from ultralytics.utils.torch_utils import initialize_weights  # noqa: E402

from training.detector.walls import KINDS  # noqa: E402

CONFIGS = Path(ultralytics.__file__).parent / "cfg/models"
ARCHITECTURES = {  # family, depth and width as shares of the family's full size
    "yolo11n-lean-seg": ("11/yolo11-seg.yaml", 0.5, 0.25),  # with `LeanProto`
    "yolo11n-seg": ("11/yolo11-seg.yaml", 0.5, 0.25),
    "yolo11w38-seg": ("11/yolo11-seg.yaml", 0.5, 0.375),  # between n and s
    "yolo11s-seg": ("11/yolo11-seg.yaml", 0.5, 0.5),
    "yolo26n-seg": ("26/yolo26-seg.yaml", 0.5, 0.25),
    "yolo11n-p2-seg": ("11/yolo11-seg.yaml", 0.5, 0.25),  # looks at places of 4 px, too, and not at those of 32
}
SHIPPED = "yolo11n-lean-seg"
FINE_HEAD = """
- [-1, 1, nn.Upsample, [None, 2, nearest]]
- [[-1, 6], 1, Concat, [1]]
- [-1, 2, C3k2, [512, False]]
- [-1, 1, nn.Upsample, [None, 2, nearest]]
- [[-1, 4], 1, Concat, [1]]
- [-1, 2, C3k2, [256, False]]
- [-1, 1, nn.Upsample, [None, 2, nearest]]
- [[-1, 2], 1, Concat, [1]]
- [-1, 2, C3k2, [128, False]]
- [-1, 1, Conv, [128, 3, 2]]
- [[-1, 16], 1, Concat, [1]]
- [-1, 2, C3k2, [256, False]]
- [-1, 1, Conv, [256, 3, 2]]
- [[-1, 13], 1, Concat, [1]]
- [-1, 2, C3k2, [512, False]]
- [[19, 22, 25], 1, Segment, [nc, 32, 256]]
"""


class LeanProto(nn.Module):
    """Mask prototypes that are enlarged last, which leaves nearly all of the work on a quarter of the places.

    Ultralytics enlarges them with a transposed convolution between two others. Behind it, the one of 3 x 3 px is 18 %
    of the network's work, more than any other layer; here it comes before. The last one, of 1 x 1 px, and the
    transposed one are both linear, with nothing in between: they are one.
    """

    def __init__(self, usual: Proto) -> None:
        super().__init__()
        self.cv1, self.cv2 = usual.cv1, usual.cv2
        self.upsample = ConvTranspose(usual.cv3.conv.in_channels, usual.cv3.conv.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) features to (B, 32, 2 H, 2 W) prototypes."""
        prototypes: Tensor = self.upsample(self.cv2(self.cv1(x)))
        return prototypes


def build(architecture: str) -> nn.Module:
    """A network with fresh weights for the kinds hold and volume.

    YOLO26's second, duplicate-free head is left out: the service drops duplicates itself, whatever their kinds.

    Raises:
        KeyError: There is no such architecture.
    """
    config, depth, width = ARCHITECTURES[architecture]
    description: dict[str, Any] = yaml.safe_load((CONFIGS / config).read_text())
    description |= {"scales": {"n": [depth, width, 1024]}, "scale": "n", "end2end": False, "nc": len(KINDS)}
    if "-p2-" in architecture:
        description["head"] = yaml.safe_load(FINE_HEAD)
    network = SegmentationModel(description, verbose=False)
    if "-lean-" in architecture:
        head = network.model[-1]
        head.proto = LeanProto(head.proto)
        initialize_weights(head.proto)  # ultralytics' momentum and epsilon for new norms
    network.names = dict(enumerate(KINDS))  # what ultralytics' predictor shows
    return network
