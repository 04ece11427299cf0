"""Records what ultralytics itself predicts, for the detector's tests to compare with.

    python -m training.detector.record training/runs/NAME/last.pt

Run it whenever other weights ship. The file holds boxes, confidences, kinds and masks, and no pixel of any photo.
"""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from training.detector.evaluate import MAX_DETECTIONS, OVERLAP, load_network
from training.detector.walls import read_photo
from training.photos import data_dir

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


def predict(network: torch.nn.Module, photos: list[NDArray[np.uint8]]) -> list[Any]:
    """Ultralytics' results for BGR photos, at 640 px, with masks at the photos' own resolution."""
    from ultralytics import YOLO  # noqa: PLC0415 - after the shim that evaluate installs

    yolo = YOLO("yolo11n-seg.yaml", task="segment")
    yolo.model = network
    return list(
        yolo.predict(
            photos,
            imgsz=640,
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    args = parser.parse_args()
    arrays: dict[str, NDArray[Any]] = {}
    photos = [SAMPLE, *(data_dir() / "dev/images" / name for name in DEV_PHOTOS)]
    results = predict(load_network(args.checkpoint), [read_reduced(path) for path in photos])
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
