"""Photos with their holds, in memory: one by one as they are read, and all together as the sampler wants them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.detector.walls import Wall, read_photo

CANVAS_PX = 1280  # longer side that the labeled photos have at most
MOST_HOLDS = 255  # of one photo: owners are bytes


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture with its holds.

    Attributes:
        rgb: (H, W, 3) uint8.
        owners: (H, W) uint8, 0 for wall, i + 1 for the i-th hold.
        boxes_xyxy: (N, 4) float32 pixels.
        kinds: (N,) int64.
    """

    rgb: NDArray[np.uint8]
    owners: NDArray[np.uint8]
    boxes_xyxy: NDArray[np.float32]
    kinds: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bank:
    """P scenes stacked for the sampler. Each canvas has the picture at its left and, beside it, the picture halved.

    Attributes:
        rgb: (P, CANVAS_PX, 1.5 CANVAS_PX, 3) uint8.
        owners: (P, CANVAS_PX, 1.5 CANVAS_PX) uint8.
        size_wh: (P, 2) float32, pixels of the picture in full.
        boxes_xyxy: (P, MOST_HOLDS, 4) float32; rows of no hold are zero.
        kinds: (P, MOST_HOLDS) int64, -1 for no hold.
        weights: (P,) float32, how often each is drawn.
    """

    rgb: Tensor
    owners: Tensor
    size_wh: Tensor
    boxes_xyxy: Tensor
    kinds: Tensor
    weights: Tensor

    @classmethod
    def empty(cls, weights: Sequence[float], device: torch.device) -> Self:
        """Room for as many scenes as there are weights; on the CPU in memory that processes can share."""
        shape = (len(weights), CANVAS_PX, CANVAS_PX * 3 // 2)
        bank = cls(
            rgb=torch.zeros((*shape, 3), dtype=torch.uint8, device=device),
            owners=torch.zeros(shape, dtype=torch.uint8, device=device),
            size_wh=torch.zeros((len(weights), 2), device=device),
            boxes_xyxy=torch.zeros((len(weights), MOST_HOLDS, 4), device=device),
            kinds=torch.full((len(weights), MOST_HOLDS), -1, device=device),
            weights=torch.tensor(list(weights), dtype=torch.float32, device=device),
        )
        if device.type == "cpu":
            for part in (bank.rgb, bank.owners):
                part.share_memory_()
        return bank

    def put(self, p: int, scene: Scene) -> None:
        """Fill the place of one scene."""
        height, width = scene.owners.shape
        half = (max(1, width // 2), max(1, height // 2))
        small_rgb = np.asarray(cv2.resize(scene.rgb, half, interpolation=cv2.INTER_AREA), np.uint8)
        small_owners = np.asarray(cv2.resize(scene.owners, half, interpolation=cv2.INTER_NEAREST), np.uint8)
        self.rgb[p, :height, :width] = torch.from_numpy(scene.rgb)
        self.owners[p, :height, :width] = torch.from_numpy(scene.owners)
        self.rgb[p, : half[1], CANVAS_PX : CANVAS_PX + half[0]] = torch.from_numpy(small_rgb)
        self.owners[p, : half[1], CANVAS_PX : CANVAS_PX + half[0]] = torch.from_numpy(small_owners)
        self.size_wh[p] = torch.tensor([width, height])
        self.boxes_xyxy[p, : len(scene.kinds)] = torch.from_numpy(scene.boxes_xyxy)
        self.kinds[p, : len(scene.kinds)] = torch.from_numpy(scene.kinds)


def load_scene(wall: Wall) -> Scene:
    """Read a photo and its cached outlines.

    Raises:
        FileNotFoundError: The outlines are not in the cache yet.
        ValueError: There are more holds than a byte can number.
    """
    owners = cv2.imread(str(wall.owners), cv2.IMREAD_UNCHANGED)
    if owners is None:
        raise FileNotFoundError(f"{wall.owners}: run python -m training.detector.prepare first")
    if len(wall.kinds) > MOST_HOLDS:
        raise ValueError(f"{wall.photo} has {len(wall.kinds)} holds, at most {MOST_HOLDS} are supported")
    rgb = cv2.cvtColor(read_photo(wall.photo), cv2.COLOR_BGR2RGB)
    return Scene(np.asarray(rgb, np.uint8), np.asarray(owners, np.uint8), wall.boxes_xyxy, wall.kinds)


def load_bank(walls: Sequence[Wall], weights: Sequence[float], device: torch.device) -> Bank:
    """Read all walls, several at once; 10 MB each."""
    bank = Bank.empty(weights, device)
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(lambda p: bank.put(p, load_scene(walls[p])), range(len(walls))):
            pass
    return bank


def stack(scenes: Sequence[Scene], weights: Sequence[float], device: torch.device) -> Bank:
    """Put scenes together; none may be larger than the canvas."""
    bank = Bank.empty(weights, device)
    for p, scene in enumerate(scenes):
        bank.put(p, scene)
    return bank
