"""Scores a trained network on labeled photos: `python -m training.detector.evaluate training/runs/NAME/last.pt`."""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training import _torchvision_shim

_torchvision_shim.install()

from torchvision.ops import nms  # noqa: E402
from ultralytics.nn.tasks import SegmentationModel  # noqa: E402

from training.detector.scoring import average_precision, match, overlaps  # noqa: E402
from training.detector.walls import KINDS, Wall, read_photo, read_walls  # noqa: E402

LOWEST_CONFIDENCE = 0.01
OVERLAP = 0.6  # IoU above which the weaker of two boxes is dropped, whatever their kinds
MAX_DETECTIONS = 300


def letterbox(bgr: NDArray[np.uint8], side_px: int) -> tuple[NDArray[np.uint8], float, tuple[int, int]]:
    """Fit a photo into a gray square; returns the square, the scale, and the offset (left, top)."""
    height, width = bgr.shape[:2]
    scale = side_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (side_px - size[0]) // 2, (side_px - size[1]) // 2
    square = np.full((side_px, side_px, 3), 114, np.uint8)
    square[top : top + size[1], left : left + size[0]] = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
    return square, scale, (left, top)


@torch.inference_mode()
def detect(network: nn.Module, bgr: NDArray[np.uint8], side_px: int) -> tuple[NDArray[np.float32], ...]:
    """Boxes (N, 4) in photo pixels, confidences (N,) descending, kinds (N,) of one photo."""
    square, scale, offset = letterbox(bgr, side_px)
    image = torch.from_numpy(np.ascontiguousarray(square[..., ::-1])).permute(2, 0, 1)[None].float() / 255
    device = next(network.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cpu"):
        output = network(image.to(device))[0]
    output = (output[0] if isinstance(output, (tuple, list)) else output)[0].float().cpu().T
    scores, kinds = output[:, 4:6].max(dim=1)
    kept = scores >= LOWEST_CONFIDENCE
    output, scores, kinds = output[kept], scores[kept], kinds[kept]
    boxes = torch.cat([output[:, :2] - output[:, 2:4] / 2, output[:, :2] + output[:, 2:4] / 2], dim=1)
    best = nms(boxes, scores, OVERLAP)[:MAX_DETECTIONS]
    photo_boxes = (boxes[best].numpy() - np.float32([*offset, *offset])) / scale
    return photo_boxes, scores[best].numpy(), kinds[best].numpy().astype(np.float32)


def score_network(network: nn.Module, walls: list[Wall], side_px: int, threshold: float = 0.5) -> float:
    """Box AP at one IoU threshold, whatever the kinds."""
    network.eval()
    scores, hits = [], []
    for wall in walls:
        boxes, confidences, _ = detect(network, read_photo(wall.photo), side_px)
        scores.append(confidences)
        hits.append(match(overlaps(boxes, wall.boxes_xyxy), threshold))
    return average_precision(np.concatenate(scores), np.concatenate(hits), sum(len(w.kinds) for w in walls))


def load_network(checkpoint: Path) -> nn.Module:
    """The averaged network of a checkpoint of `training.detector.train`, on the CPU."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = SegmentationModel(state["plan"]["architecture"], nc=len(KINDS), verbose=False)
    network.names = dict(enumerate(KINDS))  # what ultralytics' predictor shows
    network.load_state_dict(state["ema"])
    return network.eval()


def main() -> None:
    """Print box AP50 on dev at every served size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--sides", type=int, nargs="+", default=[320, 480, 640, 960])
    args = parser.parse_args()
    network, walls = load_network(args.checkpoint), read_walls("dev")
    for side_px in args.sides:
        print(f"{side_px:4d} px  box AP50 {score_network(network, walls, side_px):.4f}", flush=True)


if __name__ == "__main__":
    main()
