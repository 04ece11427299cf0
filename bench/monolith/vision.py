"""How the first version looked at a photo; each flaw is marked with the incident that it caused."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

YOLO_IMG_SIZE = 640  # A9: the variable of this name is read by no code
MIN_CONFIDENCE = 0.3
_loaded: dict[str, Any] = {}


def network(models_dir: Path, name: str) -> ort.InferenceSession:
    """Load a network when a request first needs it (A1), with ONNX Runtime's defaults."""
    if name not in _loaded:
        _loaded[name] = ort.InferenceSession(str(models_dir / name), providers=["CPUExecutionProvider"])
    return _loaded[name]


def analyze(photo: bytes, models_dir: Path, max_holds: int | None) -> dict[str, Any]:
    """Find the holds and name their colors."""
    bgr = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)  # whole, however large
    if bgr is None:
        raise ValueError("not a photo")
    rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    boxes, masks = _holds(rgb, models_dir)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = np.argsort(-areas)[:max_holds]  # A12: the boxes are sorted and cut, the masks are not
    colors = _colors([rgb[y0:y1, x0:x1] for x0, y0, x1, y1 in boxes[kept].astype(int)], models_dir)
    holds = [
        {"id": i, "box": box.tolist(), "polygon": _outline(masks[i]), "color": {"name": color}}
        for i, (box, color) in enumerate(zip(boxes[kept], colors, strict=True))
    ]
    return {"image": {"width": rgb.shape[1], "height": rgb.shape[0]}, "holds": holds}


def _holds(rgb: NDArray[np.uint8], models_dir: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, 4) boxes and (N, H, W) masks at full size, all at once."""
    side, (height, width) = YOLO_IMG_SIZE, rgb.shape[:2]
    square = cv2.resize(rgb, (side, side))  # A12: squashed
    predictions, prototypes = network(models_dir, "yolo11n-seg-holds.onnx").run(
        None, {"images": (square.transpose(2, 0, 1)[None] / 255).astype(np.float32)}
    )
    rows = predictions[0].T
    rows = rows[rows[:, 4:6].max(axis=1) >= MIN_CONFIDENCE]
    corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), rows[:, 4:6].max(axis=1).tolist(), 0.0, 0.6)
    rows = rows[np.asarray(kept, int)]  # A10: without holds there is nothing to index
    scale = np.array([width / side, height / side] * 2, np.float32)
    boxes = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1) * scale
    logits = np.tensordot(rows[:, 6:], prototypes[0], axes=1)
    masks = np.stack([cv2.resize(mask, (width // 4, height // 4)) for mask in logits])
    return np.clip(boxes, 0, [width, height, width, height]).astype(np.float32), masks


def _colors(crops: list[NDArray[np.uint8]], models_dir: Path) -> list[str]:
    """Name the colors of whole boxes, wall and neighbors included (A11), all in one batch (A2)."""
    palette = np.load(models_dir / "climbmate-clip-palette.npz", allow_pickle=False)
    clip = network(models_dir, "climbmate-clip-image.onnx")
    side = clip.get_inputs()[0].shape[1]
    batch = np.stack([cv2.resize(crop, (side, side)) for crop in crops])
    best = (clip.run(None, {"crops": batch})[0] @ palette["embeddings"].T).argmax(axis=1)
    return [str(palette["names"][index]) for index in best]


def _outline(mask: NDArray[np.float32]) -> list[list[float]]:
    contours, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea)
    return (largest[:, 0, :] * 4.0).tolist()  # type: ignore[no-any-return]
