"""Parts of a file, read as if they were the whole file."""

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class SpanReader(io.RawIOBase):
    """A readable, seekable stream over pieces of memory in a row; nothing is joined or copied."""

    def __init__(self, spans: Sequence[memoryview]) -> None:
        self._spans = spans
        self._starts = [0, *accumulate(len(span) for span in spans)]
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Return the position in the joined stream."""
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the buffer from the current span, perhaps in part; 0 at the end."""
        index = bisect_right(self._starts, self._position) - 1
        if index >= len(self._spans):
            return 0
        start = self._position - self._starts[index]
        target = memoryview(buffer).cast("B")
        piece = self._spans[index][start : start + len(target)]
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the joined stream."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = base + offset
        return self._position
