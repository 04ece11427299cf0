"""Starts services again that ended by themselves."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from climbmate_client.local.process import ServiceProcess
from climbmate_client.local.stack import LocalStack, how_it_ended

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0
_WELL_AFTER_S = 60.0
_POLL_S = 0.2


@dataclass(slots=True)
class _Watch:
    """What is known of one service; times are of the monotonic clock."""

    process: ServiceProcess
    started_s: float
    wait_s: float = _FIRST_WAIT_S
    start_again_s: float | None = None

    def look(self, now_s: float, say: Callable[[str], None]) -> None:
        """Notice that the service ended, or start it again when its time has come."""
        if self.process.running:
            return
        if self.start_again_s is None:
            if now_s - self.started_s > _WELL_AFTER_S:
                self.wait_s = _FIRST_WAIT_S
            say(f"{self.process.name} {how_it_ended(self.process)}; it starts again in {self.wait_s:g} s")
            self.start_again_s = now_s + self.wait_s
            self.wait_s = min(2 * self.wait_s, _LONGEST_WAIT_S)
        elif now_s >= self.start_again_s:
            self.process.start()
            self.started_s, self.start_again_s = now_s, None


def keep_running(stack: LocalStack, stop: threading.Event) -> None:
    """Watch the services of a started stack until told to stop; start again those that end.

    A service that ends early again and again is started later and later.

    Raises:
        OSError: The log can be written no more.
    """
    watches = [_Watch(process, started_s=time.monotonic()) for process in stack.processes.values()]
    while not stop.wait(_POLL_S):
        if stack.log.failure is not None:
            raise stack.log.failure
        for watch in watches:
            watch.look(time.monotonic(), stack.log.say)
