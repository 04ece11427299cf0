"""Records what ultralytics itself predicts with the shipped network, for the detector's tests to compare with.

    python -m training.detector.record

Run it whenever another network ships. The file holds boxes, confidences, kinds and masks, and no pixel of any photo.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from training.detector import networks
from training.detector.evaluate import MAX_DETECTIONS, OVERLAP
from training.detector.walls import read_photo
from training.photos import data_dir

from ultralytics import YOLO  # isort: skip

SHIPPED = Path("models/yolo11n-seg-holds.onnx")
SIDE_PX = 640
SAMPLE = Path("assets/sample-wall.jpg")
DEV_PHOTOS = ("wall_0017.jpg", "wall_0061.jpg", "wall_0066.jpg")
RECORD = Path("services/detector/tests/data/ultralytics-640.npz")
LEAST_CONFIDENCE = 0.25
MAX_SIDE_PX = 1280  # larger photos are reduced first, as the service does


def read_reduced(path: Path) -> NDArray[np.uint8]:
    """A photo as BGR, its longer side at most `MAX_SIDE_PX`."""
    photo = read_photo(path)
    scale = min(1.0, MAX_SIDE_PX / max(photo.shape[:2]))
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def served(path: Path) -> torch.nn.Module:
    """A network as ultralytics knows it that answers with what ONNX Runtime makes of the shipped file."""
    options = onnxruntime.SessionOptions()
    for name, size in (("batch", 1), ("height", SIDE_PX), ("width", SIDE_PX)):
        options.add_free_dimension_override_by_name(name, size)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def forward(images: torch.Tensor, *_: object, **__: object) -> list[torch.Tensor]:
        looks = [session.run(None, {"images": image[None]}) for image in images.numpy()]
        return [torch.from_numpy(np.concatenate(outputs)) for outputs in zip(*looks, strict=True)]

    network = networks.build(networks.SHIPPED).eval()
    network.forward = forward
    return network


def predict(network: torch.nn.Module, photos: list[NDArray[np.uint8]]) -> list[Any]:
    """Ultralytics' results for BGR photos, at 640 px, with masks at the photos' own resolution."""
    yolo = YOLO("yolo11n-seg.yaml", task="segment")
    yolo.model = network
    return list(
        yolo.predict(
            photos,
            imgsz=SIDE_PX,
            conf=LEAST_CONFIDENCE,
            iou=OVERLAP,
            agnostic_nms=True,
            max_det=MAX_DETECTIONS,
            rect=False,
            retina_masks=True,
            device="cpu",
            batch=1,
            verbose=False,
        )
    )


def packed_masks(masks: NDArray[np.bool_], boxes_xyxy: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The (N, H, W) masks inside their boxes rounded outwards, as bits, one after the other."""
    parts = [np.zeros(0, np.bool_)]
    for mask, (x0, y0, x1, y1) in zip(masks, outward(boxes_xyxy), strict=True):
        parts.append(mask[y0:y1, x0:x1].ravel())
    return np.packbits(np.concatenate(parts))


def outward(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N, 4) boxes rounded to whole pixels, outwards."""
    low, high = np.floor(boxes_xyxy[:, :2]).clip(0), np.ceil(boxes_xyxy[:, 2:])
    return np.concatenate([low, high], axis=1).astype(np.int64)


def main() -> None:
    """Predict and record."""
    arrays: dict[str, NDArray[Any]] = {}
    photos = [SAMPLE, *(data_dir() / "dev/images" / name for name in DEV_PHOTOS)]
    results = predict(served(SHIPPED), [read_reduced(path) for path in photos])
    for photo, result in zip(photos, results, strict=True):
        boxes = result.boxes.xyxy.numpy()
        arrays[f"{photo.name}/boxes"] = boxes
        arrays[f"{photo.name}/confidences"] = result.boxes.conf.numpy()
        arrays[f"{photo.name}/kinds"] = result.boxes.cls.numpy().astype(np.int64)
        arrays[f"{photo.name}/masks"] = packed_masks(result.masks.data.numpy() > 0, boxes)
        print(f"{photo}: {len(boxes)} holds")
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(RECORD, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    print(f"{RECORD}: {RECORD.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
