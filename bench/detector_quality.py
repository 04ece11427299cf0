"""How often the detector is right: `python -m bench.detector_quality`, or `make quality`.

Runs the service's own search, without gRPC, on the labeled photos of `data/dev` (boxes) and on rendered walls that no
network was trained on (boxes and exact outlines). Prints Markdown tables; needs the folder that SHARED names.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from detector.boxes import overlaps
from detector.finder import Query
from detector.looks import Tiles
from detector.pipeline import FoundHold
from numpy.typing import NDArray
from servicekit.cancel import CancelToken

from bench.detector_setup import SIDES_PX, load, shipped_network
from training.detector.prepare import RENDERED_TESTS, rendered
from training.detector.scoring import WIDTHS, Compared, average_precision, found_at
from training.detector.walls import Wall, read_photo, read_walls
from training.renderer import RenderedWall
from training.renderer.develop import encode_jpeg

DEFAULT_CONFIDENCE = 0.24
Search = Callable[[bytes], Sequence[FoundHold]]


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured: a file of the network and how it looks."""

    network: Path
    side_px: int
    tiles: Tiles

    def search(self) -> Search:
        """Load it; the search finds everything above a confidence of 0.01 in a photo's bytes."""
        _, finder = load(self.network, self.side_px, self.tiles)

        def find(photo: bytes) -> Sequence[FoundHold]:
            query = Query(photo, max_holds=300, min_confidence=0.01, with_crops=False)
            return finder.find(query, finder.read_header(query), token=CancelToken()).holds

        return find


def compared(holds: Sequence[FoundHold], truth_xyxy: NDArray[np.float32], width: int) -> Compared:
    """The holds, most confident first, beside the labels of a photo that is `width` pixels wide."""
    boxes = np.array([hold.box_xyxy for hold in holds], np.float32).reshape(-1, 4)
    confidences = np.array([hold.confidence for hold in holds], np.float32)
    return Compared(confidences, overlaps(boxes, truth_xyxy), _narrow(truth_xyxy, width), _narrow(boxes, width))


def _narrow(boxes_xyxy: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """(N,) shorter sides as shares of the photo's width."""
    return np.asarray((boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).min(axis=1, initial=np.inf) / width, np.float32)


def boxes_row(photos: Sequence[Compared]) -> list[float]:
    """AP50, AP50-95, precision and recall at the default confidence, AP50 of small, medium and large holds."""
    strict = float(np.mean([average_precision(photos, t) for t in np.arange(0.5, 1.0, 0.05)]))
    by_width = [average_precision(photos, widths=widths) for widths in WIDTHS.values()]
    return [average_precision(photos), strict, *found_at(photos, DEFAULT_CONFIDENCE), *by_width]


def on_walls(search: Search, walls: Iterable[Wall]) -> list[Compared]:
    """Search labeled photos."""
    photos = []
    for wall in walls:
        width = read_photo(wall.photo).shape[1]
        photos.append(compared(search(wall.photo.read_bytes()), wall.boxes_xyxy, width))
    return photos


def on_rendered(
    search: Search, tests: Iterable[tuple[RenderedWall, int]]
) -> tuple[list[Compared], list[Compared], list[float]]:
    """Search rendered walls: boxes compared, masks compared, and how far outlines lie from the true ones, in pixels."""
    boxes, masks, distances = [], [], []
    for wall, quality in tests:
        holds = search(encode_jpeg(wall.rgb, quality))
        by_box = compared(holds, np.array([hold.box_xyxy for hold in wall.holds], np.float32), wall.rgb.shape[1])
        iou = np.zeros_like(by_box.iou)
        for i, j in np.argwhere(by_box.iou > 0.2):
            drawn = drawn_mask(holds[i], wall.rgb.shape[:2])
            true = wall.full_mask(wall.holds[j])
            iou[i, j] = (drawn & true).sum() / (drawn | true).sum()
            if iou[i, j] > 0.5 and holds[i].confidence >= DEFAULT_CONFIDENCE:
                distances.append(outline_distance(drawn, true))
        boxes.append(by_box)
        masks.append(Compared(by_box.confidences, iou, by_box.widths, by_box.predicted_widths))
    return boxes, masks, distances


def drawn_mask(hold: FoundHold, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(H, W) the pixels inside a hold's polygon."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [hold.polygon.round().astype(np.int32)], 1)
    return mask > 0


def outline_distance(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Mean distance in pixels from each outline's pixels to the nearest of the other outline."""
    around = np.ones((3, 3), np.uint8)
    edges = [cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, around) > 0 for mask in (one, other)]
    to_edge = [cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) for edge in edges]
    return float(np.concatenate([to_edge[1][edges[0]], to_edge[0][edges[1]]]).mean())


def main() -> None:
    """Measure every setup that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=Path, nargs="+", default=[shipped_network()])
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES_PX)
    parser.add_argument("--tiles", type=int, nargs="+", default=[1])
    parser.add_argument("--no-rendered", action="store_true")
    args = parser.parse_args()
    walls = read_walls("dev")
    tests = [] if args.no_rendered else [rendered(number) for number in range(RENDERED_TESTS)]
    head = "| file | size | tiles | AP50 | AP50-95 | precision | recall | small | medium | large |"
    masks = " rendered AP50 | mask AP50 | outline px |"
    print(head if args.no_rendered else head + masks)
    print("|---|" + "---:|" * (9 if args.no_rendered else 12))
    for network in args.networks:
        for setup in [Setup(network, side, tiles) for side in args.sides for tiles in args.tiles]:
            search = setup.search()
            figures = boxes_row(on_walls(search, walls))
            if not args.no_rendered:
                by_box, by_mask, distances = on_rendered(search, tests)
                figures += [average_precision(by_box), average_precision(by_mask), float(np.mean(distances))]
            row = " | ".join(f"{value:.3f}" for value in figures)
            print(f"| {network.name} | {setup.side_px} | {setup.tiles} | {row} |", flush=True)


if __name__ == "__main__":
    main()
