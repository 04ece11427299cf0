"""One service as a child process whose output is read line by line."""

import contextlib
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from climbmate_client.local.guardian import Guardian
from climbmate_client.local.signals import signals_held

KEPT_LINES = 200


class ServiceProcess:
    """A service that can be started and stopped again and again.

    It runs in a session of its own, so that Ctrl-C in a terminal reaches this process only, which then stops the
    services in order. It is asked to end, too, when this process dies.

    Args:
        name: The service's name.
        command: What to run.
        environ: Its whole environment.
        on_line: Called with each line of its output, without the line's end, from a thread of its own.
    """

    def __init__(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], on_line: Callable[[str], None]
    ) -> None:
        self.name = name
        self._command = command
        self._environ = environ
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._process: subprocess.Popen[str] | None = None
        self._guardian: Guardian | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """The process id of the latest start.

        Raises:
            RuntimeError: It was never started.
        """
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs or when it was never started."""
        return None if self._process is None else self._process.poll()

    def last_lines(self, count: int = 10) -> list[str]:
        """Give the end of its output, oldest first; complete once the process has ended."""
        if not self.running and self._reader is not None:
            self._reader.join(timeout=1.0)
        return list(self._lines)[-count:]

    def start(self) -> None:
        """Start it; does nothing while it runs. Does not wait until it serves."""
        if not self.running:
            with signals_held():  # or an interrupt would leave a process behind that nobody knows
                self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own services
            self._command,
            env=dict(self._environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._dismiss_guardian()
        self._guardian = Guardian(self._process.pid)
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal; does nothing when it has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def terminate(self) -> None:
        """Ask it to end; does not wait."""
        self.send_signal(signal.SIGTERM)

    def stop(self, limit_s: float = 10.0) -> int | None:
        """Ask it to end, and kill it when it has not ended in time.

        Returns:
            Its exit code; None when it was never started.
        """
        self.terminate()
        self.wait(limit_s)
        return self.kill()

    def kill(self) -> int | None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)
        self.wait(limit_s=5.0)
        self._dismiss_guardian()
        return self.exit_code

    def wait(self, limit_s: float) -> bool:
        """Wait until it has ended, at most `limit_s`; tell whether it has."""
        end_s = time.monotonic() + limit_s
        while self.running and time.monotonic() < end_s:
            time.sleep(0.02)
        return not self.running

    def _dismiss_guardian(self) -> None:
        if self._guardian is not None:
            self._guardian.dismiss()
            self._guardian = None

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._lines.append(line.rstrip("\n"))
                with contextlib.suppress(OSError):  # a reader who left; the service must not block on a full pipe
                    self._on_line(line.rstrip("\n"))
