"""The command `climbmate`, before anything of it is loaded: from here on a signal ends it well."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AT_ONCE = 3  # the second signal may be an impatient one while services stop, the third is meant


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _on_signals(_leave)  # an interrupt may be lost in a module that is being loaded
    from climbmate_client.cli import run  # noqa: PLC0415 - takes half a second

    try:
        _on_signals(_Interrupt())
        code = run()
        _on_signals(signal.SIG_IGN)  # the end of Python would make each of them kill
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        _leave()  # what is still asked of a gateway that does not answer would hold the process up
    sys.exit(code)


class _Interrupt:
    """Lets SIGTERM and SIGHUP interrupt as Ctrl-C does, so that local services are stopped.

    The second signal changes nothing; the third ends the process at once, and the services notice that it is gone.
    """

    def __init__(self) -> None:
        self._came = 0

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self._came += 1
        if self._came == 1:
            raise KeyboardInterrupt
        if self._came >= _AT_ONCE:
            _leave()


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Set what signals do. Python ignores Ctrl-C where a shell started the command in the background; we do not.

    SIGHUP stays ignored where it is, as under `nohup`.
    """
    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _leave(_number: int = 0, _frame: FrameType | None = None) -> None:
    os._exit(INTERRUPTED)
