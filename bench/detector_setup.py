"""Loads the detector's network as the service does, for the benches that look at it alone."""

from pathlib import Path

from detector import canvas
from detector.finder import HoldFinder
from detector.looks import Tiles
from detector.model import HoldNetwork
from visionkit import manifest
from visionkit.session import OnnxModel

ROOT = Path(__file__).parents[1]
THREADS = 2
SIDES_PX = (320, 480, 640, 704, 960)


def shipped_network() -> Path:
    """The file that ships, its digest checked."""
    return manifest.load(ROOT / "models").model("yolo11n-seg-holds").verified_path("network")


def load(path: Path, side_px: int, tiles: Tiles = 1) -> tuple[OnnxModel, HoldFinder]:
    """The session and the finder around it, warm, on `THREADS` threads."""
    sides = (side_px,)
    session = OnnxModel(path, threads=THREADS, dims={"batch": 1}, sizes=canvas.sizes(sides))
    finder = HoldFinder(HoldNetwork(session, sides), max_side_px=1280, max_pixels=50_000_000, tiles=tiles)
    finder.warm_up()
    return session, finder
