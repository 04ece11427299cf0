"""The shipped network through our pipeline, against what ultralytics itself predicts for the same photos.

The predictions were recorded by `python -m training.detector.record` and hold no pixel of the photos.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from detector import boxes
from detector.boxes import select
from detector.letterbox import Letterbox
from detector.looks import look_through
from detector.masks import sample_logits
from detector.model import HoldNetwork
from detector.pipeline import outlined
from visionkit import manifest
from visionkit.session import OnnxModel

REPOSITORY = Path(__file__).parents[3]
RECORD = Path(__file__).parent / "data/ultralytics-640.npz"
DEV = REPOSITORY.parent / "shared/data/dev/images"
PHOTOS = [REPOSITORY / "assets/sample-wall.jpg", *(DEV / f"wall_{n}.jpg" for n in ("0017", "0061", "0066"))]
LEAST_CONFIDENCE = 0.3  # recorded from 0.25, so that a hold on either side of the limit has its counterpart
SLACK = 0.02


@dataclass
class Compared:
    """Our holds in a photo and, at the same index, the recorded one nearest to each; pixels of the reduced photo."""

    network: tuple
    letterbox: Letterbox
    found: object
    holds: list
    boxes: np.ndarray
    confidences: np.ndarray
    kinds: np.ndarray
    masks: list
    recorded: np.ndarray


@pytest.fixture(scope="module")
def network():
    path = manifest.load(REPOSITORY / "models").model("yolo11n-seg-holds").verified_path("network")
    return HoldNetwork(OnnxModel(path, threads=1, dims={"batch": 1, "height": 640, "width": 640}))


@pytest.fixture(scope="module")
def alone():
    """Boxes as the surest place sees them, as ultralytics takes them; ours are agreed on by all who see a hold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "SAME_BOX", 0.999)
        yield


@pytest.fixture(scope="module", params=PHOTOS, ids=lambda path: path.stem)
def compared(request, network, alone):
    if not request.param.exists():
        pytest.skip(f"optional: {request.param.name} is not part of the repository")
    rgb = read_reduced(request.param)
    letterbox = Letterbox.fitting(rgb.shape[1], rgb.shape[0], (640, 640))
    output = network(letterbox.image(rgb))
    found = select(output.predictions, LEAST_CONFIDENCE)
    look = look_through(letterbox, found, output.prototypes, (rgb.shape[1], rgb.shape[0]))
    holds = [o.hold for o in outlined([look], (1.0, 1.0), 300)]
    with np.load(RECORD) as record:
        recorded, confidences, kinds, bits = (
            record[f"{request.param.name}/{key}"] for key in ("boxes", "confidences", "kinds", "masks")
        )
    nearest = [int(np.abs(recorded - hold.box_xyxy).max(axis=1).argmin()) for hold in holds]
    masks = unpacked(recorded, bits)
    picked = [masks[i] for i in nearest]
    return Compared(
        output, letterbox, found, holds, recorded[nearest], confidences[nearest], kinds[nearest], picked, confidences
    )


def read_reduced(path):
    """The pixels that ultralytics was given: decoded by OpenCV, the longer side at most 1280 px."""
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    scale = min(1.0, 1280 / max(photo.shape[:2]))
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def outward(box_xyxy):
    """Whole pixels around a box."""
    return [*np.floor(box_xyxy[:2]).clip(0).astype(int), *np.ceil(box_xyxy[2:]).astype(int)]


def unpacked(boxes_xyxy, bits):
    """The recorded masks; each covers the whole pixels around its box."""
    flat, masks, at = np.unpackbits(bits).astype(bool), [], 0
    for x0, y0, x1, y1 in map(outward, boxes_xyxy):
        masks.append(flat[at : at + (y1 - y0) * (x1 - x0)].reshape(y1 - y0, x1 - x0))
        at += masks[-1].size
    return masks


def overlaps(ours, theirs):
    return np.array([(a & b).sum() / max(1, (a | b).sum()) for a, b in zip(ours, theirs, strict=True)])


def test_the_same_holds_are_found(compared):
    assert len(compared.holds) >= max(1, (compared.recorded >= LEAST_CONFIDENCE + SLACK).sum())
    assert len(np.unique(compared.boxes, axis=0)) == len(compared.holds)
    assert [hold.kind for hold in compared.holds] == compared.kinds.tolist()
    np.testing.assert_allclose([hold.confidence for hold in compared.holds], compared.confidences, atol=SLACK)


def test_boxes_agree_within_a_pixel(compared):
    np.testing.assert_allclose([hold.box_xyxy for hold in compared.holds], compared.boxes, atol=1)


def test_masks_agree_on_the_grid_of_the_photo(compared):
    """Our sampling of the prototypes at the very pixels of the recorded masks."""
    ours = []
    for coefficients, box in zip(compared.found.coefficients, compared.boxes, strict=True):
        whole = np.array(outward(box), np.float32)
        square = compared.letterbox.from_photo(whole[None])[0] / 4
        wh = tuple(int(side) for side in whole[2:] - whole[:2])
        logits = sample_logits(coefficients, compared.network.prototypes, square, wh)
        x, y = np.arange(wh[0]) + whole[0], np.arange(wh[1])[:, None] + whole[1]
        inside = (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])  # as ultralytics cuts to the box
        ours.append((logits > 0) & inside)
    scores = overlaps(ours, compared.masks)
    assert scores.mean() >= 0.98
    assert scores.min() >= 0.8  # of a mask of 9 px, ultralytics' rounding of the box may cut a row


def test_served_masks_agree_although_their_grid_is_another(compared):
    """What is sent has its own grid over the box; the rim's cells fall differently, which small holds feel."""
    scores = overlaps([looked_up(h, b) for h, b in zip(compared.holds, compared.boxes, strict=True)], compared.masks)
    large = np.array([mask.size >= 24 * 24 for mask in compared.masks])
    tiny = np.array([mask.size < 12 * 12 for mask in compared.masks])  # one row of such a rim is a third of the hold
    assert scores[large].mean() >= 0.95
    assert scores[~tiny].min() >= 0.75
    assert scores.min() >= 0.6


def looked_up(hold, box_xyxy):
    """A served mask at the middles of the photo's pixels around a box."""
    x0, y0, x1, y1 = outward(box_xyxy)
    rows, columns = hold.mask.shape
    y, x = np.mgrid[y0:y1, x0:x1] + 0.5
    j = np.floor((x - hold.box_xyxy[0]) / (hold.box_xyxy[2] - hold.box_xyxy[0]) * columns).astype(int)
    i = np.floor((y - hold.box_xyxy[1]) / (hold.box_xyxy[3] - hold.box_xyxy[1]) * rows).astype(int)
    inside = (i >= 0) & (j >= 0) & (i < rows) & (j < columns)
    return np.where(inside, hold.mask[i.clip(0, rows - 1), j.clip(0, columns - 1)], False)
