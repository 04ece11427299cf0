"""The CLIP text tower: loaded when somebody brings a palette with words that are not known yet, and let go again."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from servicekit.cancel import CancelToken
from servicekit.errors import InvalidParameter
from servicekit.heap import trim
from visionkit.errors import ModelError
from visionkit.session import OnnxModel

from colorizer import tokenizer

INPUT = "tokens"
CONTEXT = 77
_KNOWN_PROMPTS = 1024
_COST_OF_FILE = 1.6  # measured 1.4 with ViT-B-32 in int8: its weights, and the file while it is read
_COST_BYTES = 3_800_000  # measured 3.5 MB with the shipped tower: its session, one run, the words' merges

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextFiles:
    """Where the tower and its tokenizer's vocabulary are.

    The tower is an ONNX network with the input `tokens` (batch, 77) int64, padded with 0, and one output (batch, D)
    float32, L2-normalized.
    """

    network: Path
    vocabulary: Path

    @property
    def cost_bytes(self) -> int:
        """Memory that encoding takes at most, while it lasts."""
        return int(_COST_OF_FILE * self.network.stat().st_size) + _COST_BYTES


class Prompts:
    """Embeddings of prompts; those of the last thousand are kept. May be used from several threads at once."""

    def __init__(self, files: TextFiles | None, *, threads: int) -> None:
        """Open nothing yet. Without files every prompt is refused."""
        self._files = files
        self._threads = threads
        self._known: OrderedDict[str, Floats] = OrderedDict()
        self._lock = threading.Lock()

    def cost_bytes(self, prompts: Sequence[str]) -> int:
        """Memory that `embed` will take for these prompts.

        Raises:
            InvalidParameter: This model has no text tower.
        """
        if self._files is None:
            raise InvalidParameter(
                "This colorizer's model has its own palette only.", details={"palette": "must be empty"}
            )
        return 0 if all(prompt in self._known for prompt in prompts) else self._files.cost_bytes

    def embed(self, prompts: Sequence[str], *, token: CancelToken) -> Floats:
        """(N, D) L2-normalized embeddings, in order.

        Raises:
            InvalidParameter: A prompt has too many tokens, or there is no text tower.
            Cancelled: The token was cancelled meanwhile.
        """
        self.cost_bytes(prompts)
        with self._lock:
            missing = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._known]
            if missing and self._files is not None:
                rows = _encoded(self._files, missing, self._threads, token)
                self._known.update((prompt, row.copy()) for prompt, row in zip(missing, rows, strict=True))
                trim()  # each row is a copy, or one that is known would keep all that were encoded with it
            for prompt in prompts:
                self._known.move_to_end(prompt)
            embeddings = np.stack([self._known[prompt] for prompt in prompts])
            while len(self._known) > _KNOWN_PROMPTS:
                self._known.popitem(last=False)
        return embeddings


def _encoded(files: TextFiles, prompts: Sequence[str], threads: int, token: CancelToken) -> Floats:
    """Load the tower, encode one prompt after the other (eight at once would take 9 MB more), and let it go."""
    rows = _tokens(files.vocabulary, prompts)
    network = OnnxModel(files.network, threads=threads, dims={"batch": 1}, optimize=False)
    spec = network.inputs.get(INPUT)
    if spec is None or spec.shape != (1, CONTEXT) or spec.dtype != np.int64:
        raise ModelError(f"{files.network}: expected {INPUT!r} int64 (1, {CONTEXT}), got {network.inputs}")
    found = [network.run({INPUT: row[None]}, token=token)[0] for row in rows]
    return np.concatenate(found).astype(np.float32)


def _tokens(vocabulary: Path, prompts: Sequence[str]) -> NDArray[np.int64]:
    """(N, 77), padded with 0."""
    rows = np.zeros((len(prompts), CONTEXT), np.int64)
    for row, prompt, tokens in zip(rows, prompts, tokenizer.encode(vocabulary, prompts), strict=True):
        if len(tokens) > CONTEXT:
            raise InvalidParameter(
                "A prompt of the palette is too long.",
                details={"palette": f"{prompt[:40]!r}... has {len(tokens)} tokens, the limit is {CONTEXT}"},
            )
        row[: len(tokens)] = tokens
    return rows
