"""Ends a service when the process that started it is gone."""

import contextlib
import subprocess

_WATCH = 'read -r line || kill -TERM "$1"'  # the end of the input means that nobody is left to write to it


class Guardian:
    """Asks a process to end when this process dies without having dismissed the guardian, also by SIGKILL.

    Args:
        pid: The process to end.
    """

    def __init__(self, pid: int) -> None:
        self._shell = subprocess.Popen(  # noqa: S603 - a constant and a number
            ["/bin/sh", "-c", _WATCH, "guardian", str(pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Let the process live on, or be; does nothing the second time."""
        if self._shell.stdin is not None and not self._shell.stdin.closed:
            with contextlib.suppress(BrokenPipeError), self._shell.stdin as line:
                line.write(b"\n")
        self._shell.wait()
