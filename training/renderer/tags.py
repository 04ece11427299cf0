"""What hangs on walls and is no hold: tape, start and top labels, route numbers, little colored flags."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from training.renderer.camera import Frame, Vector
from training.renderer.hold import PlacedHold
from training.renderer.noise import Field
from training.renderer.palette import Rgb, to_linear
from training.renderer.stage import Stage

PAPERS: tuple[Rgb, ...] = (
    (238, 236, 230),
    (250, 214, 40),
    (70, 150, 220),
    (240, 130, 170),
    (60, 60, 64),
    (150, 90, 170),
    (120, 190, 90),
)
LABEL_PX = (72, 160)


def _tape(rng: np.random.Generator, stage: Stage, frame: Frame, color: Vector) -> None:
    """One or two strips hanging from the hold, as a V or side by side."""
    both = rng.random() < 0.6
    for side in (-1, 1) if both else (1,):
        angle = side * float(rng.uniform(0.05, 0.5))
        start = np.array([side * 0.02 * both, 0.0])
        end = start + float(rng.uniform(0.08, 0.16)) * np.array([math.sin(angle), -math.cos(angle)])
        across = 0.011 * np.array([math.cos(angle), math.sin(angle)])
        _fill(stage, frame, np.stack([start + across, end + across, end - across, start - across]), color)


def _flag(rng: np.random.Generator, stage: Stage, frame: Frame, color: Vector) -> None:
    """A drop-shaped plastic marker on a screw."""
    length, wide = float(rng.uniform(0.05, 0.075)), float(rng.uniform(0.011, 0.016))
    angle = float(rng.normal(0, 0.25))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    for shift in (-1, 1) if rng.random() < 0.35 else (0,):
        steps = np.linspace(0, 2 * math.pi, 15)[:-1]
        bulge = wide * (0.45 + 0.55 * (1 - np.cos(steps)) / 2)
        drop = np.column_stack([np.sin(steps) * bulge + 1.3 * wide * shift, -length * (1 - np.cos(steps)) / 2])
        _fill(stage, frame, drop @ turn.T, color)


def _label(rng: np.random.Generator, stage: Stage, frame: Frame, _color: Vector) -> None:
    """A printed card: START, TOP, a grade or a number."""
    text = str(
        rng.choice(["START", "TOP", str(rng.integers(1, 60)), f"V{rng.integers(0, 9)}", f"{rng.integers(4, 8)}A"])
    )
    paper = PAPERS[rng.integers(len(PAPERS))]
    ink = (20, 20, 24) if sum(paper) > 360 else (240, 240, 240)
    wide = 0.035 + 0.018 * len(text)
    rows, columns = LABEL_PX
    card = np.full((rows, columns, 3), paper, np.uint8)
    (text_w, text_h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 4)
    scale = min(0.85 * columns / text_w, 0.6 * rows / text_h)
    at = (round((columns - text_w * scale) / 2), round((rows + text_h * scale) / 2))
    cv2.putText(card, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, max(2, round(4 * scale)), cv2.LINE_AA)
    tall = float(rng.uniform(0.04, 0.07))
    corners = np.array([[-wide / 2, 0], [wide / 2, 0], [wide / 2, -tall], [-wide / 2, -tall]])
    angle = float(rng.normal(0, 0.12))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    _paste(stage, frame, corners @ turn.T, to_linear(card))


def _fill(stage: Stage, frame: Frame, shape_m: Vector, color: Vector) -> None:
    light = stage.lighting.on_facet(frame) * stage.shade_at(frame.origin)
    stage.fill(stage.camera.project(_on(frame, shape_m)), color * light)


def _on(frame: Frame, points_m: Vector) -> Vector:
    """(N, 2) meters in a frame to (N, 3) world points a hair above it."""
    return np.asarray(frame.origin + points_m[:, :1] * frame.right + points_m[:, 1:] * frame.up + 0.001 * frame.out)


def _paste(stage: Stage, frame: Frame, corners_m: Vector, card: Field) -> None:
    """Warp a linear picture (h, w, 3) onto four corners, clockwise from its top left, meters in the frame."""
    pixels = stage.camera.project(_on(frame, corners_m))
    window = stage.window(pixels.min(axis=0) - 1, pixels.max(axis=0) + 1)
    if window.empty:
        return
    rows, columns = card.shape[:2]
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) - 0.5
    target = (pixels - [window.x_min + 0.5, window.y_min + 0.5]).astype(np.float32)
    to_photo = cv2.getPerspectiveTransform(source, target)
    size = (window.shape[1], window.shape[0])
    shrink = max(1.0, columns / max(4.0, float(np.ptp(pixels[:, 0]))))
    seen = cv2.warpPerspective(
        cv2.GaussianBlur(card, (0, 0), 0.5 * shrink), to_photo, size, borderMode=cv2.BORDER_REPLICATE
    )
    cover = cv2.warpPerspective(np.ones((rows, columns), np.float32), to_photo, size)
    light = (stage.lighting.on_facet(frame) * stage.shade_at(frame.origin)).astype(np.float32)
    stage.lay(window, np.asarray(seen * light, np.float32), np.asarray(cover, np.float32))


TAGS: dict[str, Callable[[np.random.Generator, Stage, Frame, Vector], None]] = {
    "tape": _tape,
    "flag": _flag,
    "label": _label,
}


def hang_tag(rng: np.random.Generator, stage: Stage, kind: str, frame: Frame, rgb: Rgb) -> None:
    """Put a tag of `kind` (a key of `TAGS`) on the wall; it hangs down from the frame's origin.

    Tape and flags have the color `rgb`. The tag's pixels belong to nobody.
    """
    TAGS[kind](rng, stage, frame, to_linear(rgb).astype(np.float64) * float(rng.uniform(0.6, 1.1)))


def under_hold(rng: np.random.Generator, hold: PlacedHold) -> Frame:
    """Where a hold's tag hangs: at its lower edge, a little to either side."""
    down_m = hold.below_m() - 0.01 + abs(rng.normal(0, 0.012))
    origin = hold.frame.origin + rng.normal(0, 0.2) * hold.half_m * hold.frame.right - down_m * hold.frame.up
    return Frame(origin, hold.frame.right, hold.frame.up, hold.frame.out)
