"""Cuts uploads that are too slow: each holds memory for all that it has declared, which others wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from servicekit.errors import DeadlineExceeded

_SHARE_OF_NEEDED = 0.5
_HURRY = 4


@dataclass(frozen=True, slots=True)
class Pace:
    """The slowest that an upload may be: every piece buys the time that it takes at `bytes_per_s`, beside the grace.

    While it is `crowded`, which means that others wait for the memory that it holds, its time passes faster.
    """

    grace_s: float
    bytes_per_s: float
    crowded: Callable[[], bool] = lambda: False

    @classmethod
    def of(
        cls,
        size_bytes: int,
        *,
        deadline_s: float,
        grace_s: float,
        min_bytes_per_s: int,
        crowded: Callable[[], bool] = lambda: False,
    ) -> "Pace":
        """The pace of an upload of at most `size_bytes`: half of what its deadline asks of it, at least the minimum.

        So holding much memory costs much bandwidth, also for those who want nothing but to hold it.
        """
        return cls(grace_s, max(min_bytes_per_s, _SHARE_OF_NEEDED * size_bytes / deadline_s), crowded)


async def in_pace(pieces: AsyncIterator[bytes], pace: Pace) -> AsyncIterator[bytes]:
    """Pass on the pieces of a body; only the time that is spent waiting for the sender counts.

    Raises:
        DeadlineExceeded: They come too slowly.
    """
    clock = asyncio.get_running_loop().time
    left_s = pace.grace_s
    while True:
        start_s = clock()
        try:
            async with asyncio.timeout(left_s):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise DeadlineExceeded(f"The photo came slower than {pace.bytes_per_s:.0f} bytes a second.") from None
        if piece is None:
            return
        left_s += len(piece) / pace.bytes_per_s - (clock() - start_s) * (_HURRY if pace.crowded() else 1)
        yield piece
