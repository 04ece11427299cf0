"""Remembers answers and stores corrections of them, in one thread beside the event loop."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

from servicekit.errors import NotStored, Overloaded

from gateway.feedback_file import Correction, FeedbackFile, GivenAnswer, not_stored

_log = logging.getLogger("feedback")
MAX_PENDING = 2048
"""How many answers wait to be written, at most; they take 0.5 MB."""
_MAX_WAITING = 32
_GATHER_S = 0.25  # what comes in this time is written together
_AGAIN_S = 5.0
_PUT_S, _LAST_S = 10.0, 2.0


class FeedbackStore:
    """Tells the file of answers and corrections. An answer never waits for it."""

    def __init__(self, file: FeedbackFile | None, *, count_forgotten: Callable[[], None]) -> None:
        """Store in a file; without one nothing is kept. `count_forgotten` is told of each answer that found no room."""
        self._file = file
        self._count_forgotten = count_forgotten
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feedback")
        self._pending: dict[GivenAnswer, None] = {}
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._work: asyncio.Future[None] | None = None
        self._waiting = asyncio.Semaphore(_MAX_WAITING)

    @property
    def open(self) -> bool:
        """Whether corrections are taken at all."""
        return self._file is not None

    def remember(self, given: GivenAnswer) -> None:
        """Let its caller correct an answer. It is on disk within a second; while that fails, the oldest go first."""
        if self._file is None:
            return
        if len(self._pending) >= MAX_PENDING:
            del self._pending[next(iter(self._pending))]
            self._count_forgotten()
        self._pending[given] = None
        self._news.set()

    async def put(self, correction: Correction) -> None:
        """Store a correction durably, after the answers that were given before it.

        Raises:
            NotStored: The file does not take it.
            Overloaded: Too many wait.
            NotFound, InvalidParameter: As `FeedbackFile.put`.
        """
        if self._file is None:
            raise not_stored("no file is set")
        if self._waiting.locked():
            raise Overloaded("Too many corrections wait to be stored.")
        try:
            async with self._waiting, asyncio.timeout(_PUT_S):
                await self._flush()
                await self._in_thread(lambda file: file.put(correction))
        except TimeoutError:
            raise not_stored("the disk does not answer") from None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write while what is inside runs; at its end, what is left."""
        writer = asyncio.create_task(self._write())
        try:
            yield
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            with contextlib.suppress(NotStored, TimeoutError):
                async with asyncio.timeout(_LAST_S):
                    await self._flush()
            self._thread.shutdown(wait=False)

    async def _write(self) -> None:
        """Write what is pending, again and again; say once when that begins to fail."""
        failing = False
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_S)
            self._news.clear()
            try:
                await self._flush()
                failing = False
            except NotStored as error:
                if not failing:
                    _log.warning("answers not remembered", extra={"fields": {"reason": error.message}})
                failing = True
                await asyncio.sleep(_AGAIN_S)
                self._news.set()

    async def _flush(self) -> None:
        given = tuple(self._pending)
        if given:
            await self._in_thread(lambda file: file.remember(given))
            for one in given:
                self._pending.pop(one, None)

    async def _in_thread(self, work: Callable[[FeedbackFile], None]) -> None:
        """Do something with the file, one thing at a time; who leaves meanwhile is not waited for, but its work is."""
        assert self._file is not None  # noqa: S101 - nothing is pending without one
        async with self._turn:
            if self._work is not None:
                await asyncio.wait({self._work})
            self._work = asyncio.get_running_loop().run_in_executor(self._thread, work, self._file)
            self._work.add_done_callback(asyncio.Future.exception)  # is seen, also when nobody is there any more
            await asyncio.wait({self._work})
            self._work.result()
