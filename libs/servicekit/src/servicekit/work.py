"""Work that would block the event loop, in threads, with a bounded queue."""

import asyncio
import contextvars
import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from servicekit.cancel import Cancelled, CancelToken
from servicekit.errors import Overloaded

T = TypeVar("T")
_FIRST_GUESS_S = 0.25  # what a job is taken to last until one was measured
_MEMORY_OF_THE_PAST = 0.8  # weight of earlier jobs in the running mean


class Worker:
    """Runs blocking functions in a fixed number of threads.

    A caller that leaves cancels its function through the token and disturbs nobody else. `run` returns only when the
    function has really ended, also then: what the caller reserved for it stays reserved as long as it is in use.
    """

    def __init__(self, threads: int, queue_limit: int) -> None:
        """Prepare the threads; they start with the first jobs.

        Args:
            threads: How many jobs run at once, at least 1.
            queue_limit: How many more may wait, 0 or more.
        """
        self._threads = threads
        self._limit = threads + queue_limit
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._lock = threading.Lock()
        self._pending = 0
        self._mean_s = _FIRST_GUESS_S

    @property
    def pending(self) -> int:
        """Jobs that run or wait."""
        return self._pending

    @property
    def queued(self) -> int:
        """Jobs that wait for a thread."""
        return max(0, self._pending - self._threads)

    async def run(self, function: Callable[..., T], *args: Any) -> T:  # noqa: ANN401 - passed through
        """Call `function(*args, token=...)` in a thread and return its result.

        Raises:
            Overloaded: As many jobs as allowed run and wait already.
        """
        token = CancelToken()
        call = _Call(functools.partial(function, *args, token=token))
        job = self._submit(call)
        ended = asyncio.wrap_future(job)
        ended.add_done_callback(lambda end: end.cancelled() or end.exception())  # known, also when nobody waits for it
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            token.cancel()
            if job.cancel():
                call.drop()
            await asyncio.wait([ended])
            raise

    def close(self) -> None:
        """Wait for the running jobs and end the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, call: "_Call[T]") -> Future[T]:
        with self._lock:
            if self._pending >= self._limit:
                raise Overloaded(
                    "The queue is full.",
                    retry_after_s=self._mean_s * self._pending / self._threads,
                    details={"pending": str(self._pending), "limit": str(self._limit)},
                )
            self._pending += 1
        context = contextvars.copy_context()  # the request's id and receipt follow the work
        job = self._executor.submit(context.run, self._timed, call)
        job.add_done_callback(self._done)
        return job

    def _timed(self, call: "_Call[T]") -> T:
        start_s = time.perf_counter()
        try:
            return call()
        finally:
            took_s = time.perf_counter() - start_s
            self._mean_s = _MEMORY_OF_THE_PAST * self._mean_s + (1 - _MEMORY_OF_THE_PAST) * took_s

    def _done(self, _: Future[Any]) -> None:
        with self._lock:
            self._pending -= 1


class _Call(Generic[T]):
    """A function that can be dropped with all it holds while the executor still queues it."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function: Callable[[], T] | None = function

    def __call__(self) -> T:
        function, self._function = self._function, None
        if function is None:
            raise Cancelled
        return function()

    def drop(self) -> None:
        """Forget the function."""
        self._function = None
