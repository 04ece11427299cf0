"""The segmentation network: a picture in, raw predictions and mask prototypes out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from servicekit.cancel import CancelToken
from visionkit.errors import ModelError

from detector import canvas
from detector.boxes import BOX_ROWS, KIND_ROWS

INPUT = "images"
PREDICTIONS = "output0"
PROTOTYPES = "output1"


class Session(Protocol):
    """What the network needs of `visionkit.session.OnnxModel`."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Shape and dtype by input name."""

    @property
    def is_fixed(self) -> bool:
        """Whether the inputs have one shape only."""

    @property
    def outputs(self) -> list[str]:
        """Names of what `run` returns."""

    def run(self, feeds: Mapping[str, NDArray[Any]], *, token: CancelToken | None = None) -> list[NDArray[Any]]:
        """Run once."""


class RawOutput(NamedTuple):
    """What the network says of one picture.

    Attributes:
        predictions: (4 + 2 + 32, A) float32: box, scores and mask coefficients of every place.
        prototypes: (32, height / 4, width / 4) float32.
    """

    predictions: NDArray[np.float32]
    prototypes: NDArray[np.float32]


class HoldNetwork:
    """A loaded network for canvases as large as a square of one size, or of a few.

    Args:
        session: The network.
        sides_px: The squares' sides, the usual one first; None for the session's own.

    Raises:
        ModelError: The file is no hold network.
    """

    def __init__(self, session: Session, sides_px: Sequence[int] | None = None) -> None:
        if list(session.inputs) != [INPUT] or not {PREDICTIONS, PROTOTYPES} <= set(session.outputs):
            raise ModelError(f"the network takes {list(session.inputs)} and gives {session.outputs}: no hold network")
        self._session = session
        self._at = (session.outputs.index(PREDICTIONS), session.outputs.index(PROTOTYPES))
        self.sides_px: Sequence[int] = sides_px or (session.inputs[INPUT].shape[2],)
        for side_px in self.sides_px:
            self._check(self(np.zeros((1, 3, side_px, side_px), np.float32)))  # warms up, too

    def canvas_wh(self, width: int, height: int, side_px: int) -> tuple[int, int]:
        """Width and height of the canvas for a picture; a network of fixed shape has only the one."""
        if self._session.is_fixed:
            return side_px, side_px
        return canvas.canvas_wh(width, height, side_px)

    def __call__(self, image: NDArray[np.float32], token: CancelToken | None = None) -> RawOutput:
        """Look at one (1, 3, height, width) float32 picture, RGB 0..1; with the sides that `canvas_wh` gives.

        Raises:
            Cancelled: The token was cancelled before the network was through.
        """
        outputs = self._session.run({INPUT: image}, token=token)
        return RawOutput(outputs[self._at[0]][0], outputs[self._at[1]][0])

    def _check(self, output: RawOutput) -> None:
        rows, planes = len(output.predictions), len(output.prototypes)
        if rows != BOX_ROWS + KIND_ROWS + planes:
            raise ModelError(f"the network gives {rows} rows and {planes} prototypes: not the kinds hold and volume")
