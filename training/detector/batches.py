"""Feeds the training loop: a worker process draws samples while the network computes."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from training.detector.loss import Batch
from training.detector.samples import Draw, SampleSource, Scene


def collate(scenes: list[Scene]) -> Batch:
    """Stack samples of one size."""
    side = scenes[0].bgr.shape[0]
    pixels = np.stack([scene.bgr[..., ::-1] for scene in scenes])
    images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)  # stays NHWC in memory
    boxes = torch.from_numpy(np.concatenate([scene.boxes_xyxy for scene in scenes])) / side
    center, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return Batch(
        images=images.float().div_(255),
        owners=torch.from_numpy(np.stack([scene.owners for scene in scenes]).astype(np.int32)),
        picture=torch.from_numpy(np.repeat(np.arange(len(scenes)), [len(s.kinds) for s in scenes])).float(),
        kinds=torch.from_numpy(np.concatenate([scene.kinds for scene in scenes])).float(),
        boxes=torch.cat([center, sides], dim=1),
    )


class DrawPlan:
    """Decides, batch by batch, what is drawn next; an endless batch sampler.

    Args:
        first: number of the first sample (a resumed run goes on where it stopped).
        stride: distance of the numbers; as many processes draw side by side.
        progress: share of the run that is over, 0..1.
    """

    GENTLE_FROM = 0.85  # the last part of a run sees plain photos at the served size

    def __init__(self, first: int, stride: int, progress: Callable[[], float], side_px: int, batch: int) -> None:
        self._next, self._stride, self._progress, self._side_px, self._batch = first, stride, progress, side_px, batch

    def __iter__(self) -> Iterator[list[Draw]]:
        while True:
            gentle = self._progress() >= self.GENTLE_FROM
            side, batch = (640, max(1, self._batch // 2)) if gentle else (self._side_px, self._batch)
            yield [Draw(self._next + i * self._stride, side, gentle) for i in range(batch)]
            self._next += batch * self._stride


def _limit_threads(_worker: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def batches(source: SampleSource, plan: DrawPlan, workers: int) -> Iterator[Batch]:
    """Endless batches, drawn ahead by `workers` processes, or on demand when there are none."""
    loader = DataLoader(
        source,  # indexed by Draw instead of int
        batch_sampler=plan,  # yields Draws instead of ints
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        collate_fn=collate,
        worker_init_fn=_limit_threads,
    )
    return iter(loader)
