"""JPEG: the color profile, in pieces of a segment each (ICC.1:2010, B.4)."""

from visionkit.container.jpeg_layout import Layout
from visionkit.container.jpeg_segments import APP2

_PREFIX = b"ICC_PROFILE\0"  # then a piece's number, from 1, and how many there are
_MAX_PIECES = {1: 5, 3: 5, 4: 32}  # by components: the largest profiles that `visionkit.profile` uses


def join(file: Layout) -> bytes | None:
    """Join the pieces in the order of their numbers; None if there is none, or it is broken or absurdly large."""
    pieces = file.starting(APP2, _PREFIX)
    if not 1 <= len(pieces) <= _MAX_PIECES[len(file.frame.samplings)] or is_broken(file):
        return None
    bodies = sorted(piece.body(file.data)[len(_PREFIX) :] for piece in pieces)
    return b"".join(body[2:] for body in bodies)


def is_broken(file: Layout) -> bool:
    """Whether there are pieces that make no profile: empty ones, one is missing or there twice."""
    pieces = file.starting(APP2, _PREFIX)
    starts = [piece.body_start + len(_PREFIX) for piece in pieces]
    numbers = sorted(tuple(file.data[start : start + 2]) for start in starts)
    empty = all(piece.end <= start + 2 for piece, start in zip(pieces, starts, strict=True))
    return bool(pieces) and (empty or numbers != [(number, len(pieces)) for number in range(1, len(pieces) + 1)])
