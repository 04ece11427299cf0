"""What a handled error still holds: the frames that it passed, and in their variables whole photos."""

import traceback


def forget(error: BaseException) -> None:
    """Let go of an error's traceback and of the variables of the ended frames in it; its causes' likewise.

    A frame that names the error, or a task that failed with it, makes a cycle. A flood of refused photos is then kept
    until the garbage collector comes by, which is too late under a memory limit.
    """
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        pending += (one.__cause__, one.__context__)
        traceback.clear_frames(one.__traceback__)
        one.__traceback__ = None
