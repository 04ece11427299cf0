"""Draws training samples: crops of walls, warped, cut together, with holds pasted in and colors changed.

Every sample is a pure function of the seed and its number, so that a resumed run continues where it stopped.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.detector.lighting import recolor, relight
from training.detector.prepare import owners_path
from training.detector.walls import Wall, read_photo

SERVED_SIDE_PX = 640  # samples are drawn around the scale at which this size shows a whole photo
PAD = 114  # gray of the letterbox
KEPT_SHARE = 0.3  # a hold cut by the sample's edge stays a label when at least this share of its box is left


@dataclass(frozen=True, slots=True)
class Draw:
    """What to draw: the number of the sample (its seed), its side, and whether it shall look like a plain photo."""

    number: int
    side_px: int
    gentle: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture with its holds.

    Attributes:
        bgr: (H, W, 3) uint8.
        owners: (H, W) uint16, 0 for wall, i + 1 for the i-th hold.
        boxes_xyxy: (N, 4) float32 pixels.
        kinds: (N,) int64.
    """

    bgr: NDArray[np.uint8]
    owners: NDArray[np.uint16]
    boxes_xyxy: NDArray[np.float32]
    kinds: NDArray[np.int64]


def load_scene(wall: Wall, cache_dir: Path) -> Scene:
    """Read a training photo and its cached outlines into memory."""
    owners = cv2.imread(str(owners_path(wall.photo, cache_dir)), cv2.IMREAD_UNCHANGED)
    if owners is None:
        raise FileNotFoundError(f"{owners_path(wall.photo, cache_dir)}: run python -m training.detector.prepare first")
    return Scene(read_photo(wall.photo), np.asarray(owners, np.uint16), wall.boxes_xyxy, wall.kinds)


def halved(scene: Scene) -> Scene:
    """The scene at half the resolution, so that strong reductions do not alias."""
    half = (max(1, scene.bgr.shape[1] // 2), max(1, scene.bgr.shape[0] // 2))
    bgr = cv2.resize(scene.bgr, half, interpolation=cv2.INTER_AREA)
    owners = cv2.resize(scene.owners, half, interpolation=cv2.INTER_NEAREST)
    boxes = (scene.boxes_xyxy / 2).astype(np.float32)
    return Scene(np.asarray(bgr, np.uint8), np.asarray(owners, np.uint16), boxes, scene.kinds)


class SampleSource:
    """The training photos in memory (about 1.3 GB), and the recipe that draws samples from them."""

    def __init__(self, scenes: list[Scene], seed: int) -> None:
        self._pyramids = [(scene, halved(scene)) for scene in scenes]
        self._seed = seed
        self._bank = [(s, i) for s, scene in enumerate(scenes) for i in range(len(scene.kinds))]
        self._volumes = [(s, i) for s, i in self._bank if scenes[s].kinds[i] == 1]

    def __len__(self) -> int:
        return len(self._pyramids)

    def __getitem__(self, draw: Draw) -> Scene:
        rng = np.random.default_rng((self._seed, draw.number))
        scene = self._mosaic(draw, rng) if not draw.gentle and rng.random() < 0.35 else self._one(draw, rng)
        if rng.random() < (0.2 if draw.gentle else 0.5):
            scene = self._with_pasted_holds(scene, rng)
        return relight(recolor(scene, rng, gentle=draw.gentle), rng, gentle=draw.gentle)

    def _one(self, draw: Draw, rng: np.random.Generator) -> Scene:
        return self._view(rng, (draw.side_px, draw.side_px), gentle=draw.gentle)

    def _mosaic(self, draw: Draw, rng: np.random.Generator) -> Scene:
        """Four walls that meet in one point of the picture."""
        side = draw.side_px
        x, y = (int(v) for v in rng.uniform(0.25, 0.75, 2) * side)
        corners = [(0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side)]
        views = [self._view(rng, (x1 - x0, y1 - y0), gentle=False) for x0, y0, x1, y1 in corners]
        bgr, owners = np.empty((side, side, 3), np.uint8), np.empty((side, side), np.uint16)
        boxes, before = [], 0
        for view, (x0, y0, x1, y1) in zip(views, corners, strict=True):
            bgr[y0:y1, x0:x1] = view.bgr
            owners[y0:y1, x0:x1] = np.where(view.owners > 0, view.owners + np.uint16(before), 0)
            boxes.append(view.boxes_xyxy + np.array([x0, y0, x0, y0], np.float32))
            before += len(view.kinds)
        return Scene(bgr, owners, np.concatenate(boxes), np.concatenate([v.kinds for v in views]))

    def _view(self, rng: np.random.Generator, size_wh: tuple[int, int], *, gentle: bool) -> Scene:
        """A random crop of a random photo, scaled, turned a little, sheared a little, perhaps mirrored."""
        full, half = self._pyramids[rng.integers(len(self._pyramids))]
        longer = max(full.bgr.shape[:2])
        spread = (0.8, 1.3) if gentle else (0.6, 2.0)
        scale = SERVED_SIDE_PX / longer * np.exp(rng.uniform(*np.log(spread)))
        scene, scale = (half, scale * 2) if scale < 0.6 else (full, scale)
        matrix = _random_affine(rng, scale, gentle=gentle)
        size = np.array(scene.bgr.shape[1::-1])
        extent = np.abs(matrix) @ size
        spare = np.asarray(size_wh) - extent  # negative where the photo is larger than the view
        low, high = np.minimum(0, spare), np.maximum(0, spare)
        center = rng.uniform(low, high) + extent / 2
        return view_scene(scene, np.column_stack([matrix, center - matrix @ (size / 2)]), size_wh)

    def _with_pasted_holds(self, scene: Scene, rng: np.random.Generator) -> Scene:
        for _ in range(rng.integers(1, 9)):
            bank = self._volumes if rng.random() < 0.2 else self._bank
            s, i = bank[rng.integers(len(bank))]
            scene = paste_hold(scene, self._pyramids[s][0], i, rng)
        return scene


def _random_affine(rng: np.random.Generator, scale: float, *, gentle: bool) -> NDArray[np.float64]:
    """(2, 2) linear part: scale, aspect, shear, turn and mirror."""
    angle = np.deg2rad(rng.normal(0, 1.5 if gentle else 5))
    if not gentle and rng.random() < 0.06:
        angle += np.deg2rad(rng.choice([90, 180, 270]))
    aspect = np.exp(rng.normal(0, 0.03 if gentle else 0.12))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, rng.normal(0, 0.02 if gentle else 0.06)], [0, 1]])
    mirror = np.diag([-1.0 if rng.random() < 0.5 else 1.0, 1.0])
    return np.asarray(scale * turn @ shear @ np.diag([aspect, 1 / aspect]) @ mirror)


def view_scene(scene: Scene, matrix: NDArray[np.float64], size_wh: tuple[int, int]) -> Scene:
    """Warp a scene by a (2, 3) affine matrix into a new one of `size_wh`; holds mostly outside lose their label.

    Boxes count from pixels' edges, OpenCV warps from pixels' centers: half a pixel lies between the two.
    """
    of_centers = np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ [0.5, 0.5] - 0.5])
    bgr = cv2.warpAffine(scene.bgr, of_centers, size_wh, flags=cv2.INTER_LINEAR, borderValue=(PAD, PAD, PAD))
    owners = cv2.warpAffine(scene.owners, of_centers, size_wh, flags=cv2.INTER_NEAREST, borderValue=0)
    boxes = warp_boxes(scene.boxes_xyxy, matrix)
    clipped = boxes.clip(0, np.array([*size_wh, *size_wh], np.float32))
    sides = clipped[:, 2:] - clipped[:, :2]
    share = sides.prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).clip(1e-6)
    kept = (share >= KEPT_SHARE) & (sides.min(axis=1, initial=np.inf) >= 2)
    number = np.zeros(len(kept) + 1, np.uint16)
    number[1:][kept] = np.arange(1, kept.sum() + 1)
    return Scene(np.asarray(bgr, np.uint8), number[owners], clipped[kept], scene.kinds[kept])


def warp_boxes(boxes_xyxy: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Boxes around the warped inscribed ellipses: tighter than the warped corners, exact where nothing turns."""
    center = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = np.sqrt(((boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]) / 2) ** 2 @ (matrix[:, :2] ** 2).T)
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)


def paste_hold(scene: Scene, donor: Scene, index: int, rng: np.random.Generator) -> Scene:
    """Paste the donor's hold `index`, scaled and turned, where it covers hardly anything; else return `scene`."""
    x0, y0 = np.floor(donor.boxes_xyxy[index, :2]).astype(int).clip(0)
    x1, y1 = np.ceil(donor.boxes_xyxy[index, 2:]).astype(int)
    crop, mask = donor.bgr[y0:y1, x0:x1], (donor.owners[y0:y1, x0:x1] == index + 1).astype(np.uint8) * 255
    longer = max(crop.shape[:2], default=0)
    if longer < 8 or not mask.any():
        return scene
    size = min(np.exp(rng.uniform(np.log(12), np.log(130))), 1.4 * longer)
    angle, side = rng.uniform(0, 360), int(size * 1.45) + 2
    matrix = np.asarray(
        cv2.getRotationMatrix2D((crop.shape[1] / 2, crop.shape[0] / 2), angle, size / longer), np.float64
    )
    matrix[:, 2] += side / 2 - np.array([crop.shape[1], crop.shape[0]]) / 2
    pixels = cv2.warpAffine(crop, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(mask, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return _blend(scene, np.asarray(pixels, np.uint8), np.asarray(alpha, np.uint8), donor.kinds[index], rng)


def _blend(
    scene: Scene, pixels: NDArray[np.uint8], alpha: NDArray[np.uint8], kind: np.int64, rng: np.random.Generator
) -> Scene:
    side, inside = len(alpha), alpha > 127
    height, width = scene.owners.shape
    if side >= min(height, width) or inside.sum() < 20:
        return scene
    x, y = rng.integers(width - side), rng.integers(height - side)
    owners = scene.owners[y : y + side, x : x + side]
    if (owners[inside] > 0).mean() > 0.05:
        return scene
    bgr, new_owners = scene.bgr.copy(), scene.owners.copy()
    weight = (alpha.astype(np.float32) / 255)[..., None]
    part = bgr[y : y + side, x : x + side]
    part[:] = (part * (1 - weight) + pixels * weight).astype(np.uint8)
    new_owners[y : y + side, x : x + side][inside] = len(scene.kinds) + 1
    columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    box = np.array([[x + columns[0], y + rows[0], x + columns[-1] + 1, y + rows[-1] + 1]], np.float32)
    return Scene(bgr, new_owners, np.concatenate([scene.boxes_xyxy, box]), np.append(scene.kinds, kind))
