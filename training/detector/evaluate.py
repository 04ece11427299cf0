"""Scores a trained network on labeled photos: `python -m training.detector.evaluate training/runs/NAME/last.pt`.

Of a gym that the run held out, all photos are scored, those for training as well.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from detector.boxes import overlaps
from numpy.typing import NDArray
from torch import nn

from training.detector.networks import build  # first: torchvision does not import without what it installs
from training.detector.scoring import WIDTHS, Compared, average_precision, found_at
from training.detector.walls import Wall, read_photo, read_walls

from torchvision.ops import nms  # isort: skip

LOWEST_CONFIDENCE = 0.01
OVERLAP = 0.5  # IoU above which the weaker of two boxes is dropped, whatever their kinds
MAX_DETECTIONS = 300
GYMS_SIDE_PX = 640


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
    output = network(image.to(next(network.parameters()).device))[0][0][0].cpu().T  # bfloat16 would cost 0.03 AP50
    scores, kinds = output[:, 4:6].max(dim=1)
    kept = scores >= LOWEST_CONFIDENCE
    output, scores, kinds = output[kept], scores[kept], kinds[kept]
    boxes = torch.cat([output[:, :2] - output[:, 2:4] / 2, output[:, :2] + output[:, 2:4] / 2], dim=1)
    best = nms(boxes, scores, OVERLAP)[:MAX_DETECTIONS]
    photo_boxes = (boxes[best].numpy() - np.array([*offset, *offset], np.float32)) / scale
    return photo_boxes, scores[best].numpy(), kinds[best].numpy().astype(np.float32)


def compare(network: nn.Module, walls: Sequence[Wall], side_px: int) -> list[Compared]:
    """Look at every wall, and lay the predictions beside the labels, whatever the kinds."""
    network.eval()
    photos = []
    for wall in walls:
        photo = read_photo(wall.photo)
        boxes, confidences, _ = detect(network, photo, side_px)
        widths = [(b[:, 2:] - b[:, :2]).min(axis=1, initial=np.inf) / photo.shape[1] for b in (wall.boxes_xyxy, boxes)]
        photos.append(Compared(confidences, overlaps(boxes, wall.boxes_xyxy), *widths))
    return photos


def load_state(checkpoint: Path) -> dict[str, Any]:
    """What `training.detector.train` saved, on the CPU."""
    state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return state


def network_of(state: dict[str, Any]) -> nn.Module:
    """The averaged network of what was saved."""
    network = build(state["plan"]["architecture"])
    network.load_state_dict(state["ema"])
    return network.eval().to(memory_format=torch.channels_last)  # three times as fast on a CPU


def report(photos: Sequence[Compared], confidence: float) -> str:
    """One line of figures."""
    strict = np.mean([average_precision(photos, t) for t in np.arange(0.5, 1.0, 0.05)])
    precision, recall = found_at(photos, confidence)
    by_width = " ".join(f"{name} {found_at(photos, confidence, widths)[1]:.3f}" for name, widths in WIDTHS.items())
    return (
        f"AP50 {average_precision(photos):.4f}  AP50-95 {strict:.4f}  at {confidence}: precision {precision:.3f} "
        f"recall {recall:.3f} ({by_width})"
    )


def main() -> None:
    """Print figures on dev at every served size, then by gym at one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--sides", type=int, nargs="+", default=[320, 480, 640, 960])
    parser.add_argument("--confidence", type=float, default=0.24)
    args = parser.parse_args()
    state, walls = load_state(args.checkpoint), read_walls("dev")
    network, held_out = network_of(state), state["plan"]["hold_out"]
    by_side = {side_px: compare(network, walls, side_px) for side_px in args.sides}
    for side_px, photos in by_side.items():
        print(f"{side_px:4d} px  {report(photos, args.confidence)}", flush=True)
    side_px = GYMS_SIDE_PX if GYMS_SIDE_PX in by_side else args.sides[-1]
    unseen = [wall for wall in read_walls("train") if wall.gym in held_out]
    photos = by_side[side_px] + compare(network, unseen, side_px)
    walls += unseen
    for gym in sorted({wall.gym for wall in walls}):
        of_gym = [photo for photo, wall in zip(photos, walls, strict=True) if wall.gym == gym]
        never = "held out, " if gym in held_out else ""
        print(f"{gym} ({never}{len(of_gym)} photos, {side_px} px)  {report(of_gym, args.confidence)}")


if __name__ == "__main__":
    main()
