"""A flag by which the event loop stops work that runs in a thread."""

import itertools
import threading
from collections.abc import Callable


class Cancelled(Exception):
    """The work was stopped because nobody waits for it any more."""


class CancelToken:
    """Set once, from any thread; read by the work, or told to a callback that interrupts it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._keys = itertools.count()

    @property
    def cancelled(self) -> bool:
        """Whether the work should stop."""
        return self._cancelled

    def cancel(self) -> None:
        """Ask the work to stop; a second call does nothing."""
        with self._lock:
            self._cancelled = True
            callbacks, self._callbacks = list(self._callbacks.values()), {}
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the token is cancelled, at once if it already is.

        Returns:
            A function that removes the callback again; calling it later than the cancellation is harmless.
        """
        with self._lock:
            if not self._cancelled:
                key = next(self._keys)
                self._callbacks[key] = callback
                return lambda: self._remove(key)
        callback()
        return lambda: None

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` if the work should stop; for checks between two stages."""
        if self._cancelled:
            raise Cancelled

    def _remove(self, key: int) -> None:
        with self._lock:
            self._callbacks.pop(key, None)
