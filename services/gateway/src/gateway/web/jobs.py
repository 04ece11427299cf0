"""Analyses that several requests may follow: the same photo is computed once, and its results are kept for a while."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass

from servicekit.deadlines import within
from servicekit.errors import Internal, ServiceError, Unavailable
from servicekit.memory import MemoryMeter
from servicekit.receipts import Receipt, current_receipt, open_receipt
from servicekit.tracebacks import forget

from gateway import domain
from gateway.deadline import Deadline
from gateway.photo import Photo
from gateway.pipeline import Analyzer
from gateway.web.told import Teller, Told

_log = logging.getLogger("jobs")


@dataclass(frozen=True, slots=True)
class Question:
    """What two requests must share to be answered once: the photo's bytes, by their SHA-256, and what to look for."""

    photo_sha256: bytes
    options: domain.Options


class Job:
    """One analysis and all that it has told so far.

    Attributes:
        id: A secret: who knows it may read the results.
        question: What it answers.
        kept: Whether it runs on without followers.
        ended: Whether no more will be told.
        failure: What it ended with; None while it runs and when it succeeded.
    """

    def __init__(self, question: Question, *, kept: bool, on_idle: Callable[["Job"], None]) -> None:
        self.id = secrets.token_urlsafe(16)
        self.question = question
        self.kept = kept
        self.events: list[Told] = []
        self.ended = False
        self.failure: ServiceError | None = None
        self.size_bytes = 0
        self.task: asyncio.Task[None] | None = None
        self.expiry: asyncio.TimerHandle | None = None
        self._on_idle = on_idle
        self._followers = 0
        self._news = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether nobody follows it."""
        return self._followers == 0

    @property
    def result(self) -> Told | None:
        """The result; None when there is none yet, or none at all."""
        last = self.events[-1] if self.events else None
        return last if last is not None and last.name == "result" else None

    @property
    def progress(self) -> domain.Progress:
        """How far it is."""
        stages = (event.data for event in reversed(self.events) if isinstance(event.data, domain.Progress))
        return next(stages, domain.Progress("received", 0))

    @contextlib.contextmanager
    def followed(self) -> Iterator[None]:
        """Keep it going while what is inside runs; without followers a job that is not `kept` is stopped."""
        leave = self.follow()
        try:
            yield
        finally:
            leave()

    def follow(self) -> Callable[[], None]:
        """Keep it going until what is returned is called, once."""
        self._followers += 1
        return self._leave

    def _leave(self) -> None:
        self._followers -= 1
        if self.idle:
            self._on_idle(self)

    async def told_after(self, number: int) -> AsyncGenerator[tuple[int, Told], None]:
        """Tell again what came after the event of that number, and then what comes.

        Raises:
            ServiceError: What the analysis failed with.
        """
        while True:
            for event in self.events[number:]:
                number += 1
                yield number, event
            if self.ended:
                break
            await self._news.wait()
        if self.failure is not None:
            raise _twin(self.failure)

    def tell(self, event: Told) -> None:
        """Add an event."""
        self.events.append(event)
        self.size_bytes += event.size_bytes
        self._wake()

    def end(self, failure: ServiceError | None) -> None:
        """Tell no more."""
        self.ended, self.failure = True, failure
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class Jobs:
    """All jobs that are running or remembered; the bytes and the time of what they have told are bounded."""

    def __init__(self, analyzer: Analyzer, memory: MemoryMeter, *, room_bytes: int, remember_s: float) -> None:
        """Set the bounds.

        Args:
            analyzer: Does the work.
            memory: For the receipts.
            room_bytes: For what all jobs have told; the oldest that nobody follows are forgotten for newer ones.
            remember_s: How long a job is known after its end.
        """
        self._analyzer = analyzer
        self._memory = memory
        self._room_bytes = room_bytes
        self._remember_s = remember_s
        self.remembers = remember_s > 0
        self._by_id: dict[str, Job] = {}
        self._by_question: dict[Question, Job] = {}
        self._less = asyncio.Event()

    @property
    def told_bytes(self) -> int:
        """Memory of what all have told."""
        return sum(job.size_bytes for job in self._by_id.values())

    def get(self, job_id: str) -> Job | None:
        """A job that is running or remembered."""
        return self._by_id.get(job_id)

    def answering(self, question: Question) -> Job | None:
        """The job that answers a question or has answered it."""
        return self._by_question.get(question)

    async def start(
        self,
        photo: Photo,
        question: Question,
        deadline: Deadline,
        held: contextlib.AsyncExitStack,
        *,
        shared: bool,
        kept: bool,
    ) -> Job:
        """Start to analyze a photo.

        Args:
            photo: Is taken.
            question: What is asked.
            deadline: For the analysis.
            held: What the analysis holds; closed when it ends.
            shared: Whether those who ask the same may follow while it runs; they share a complete result anyway.
            kept: Whether it runs on without followers.
        """
        job = Job(question, kept=kept, on_idle=self._stop_if_left)
        self._by_id[job.id] = job
        if shared:
            self._by_question[question] = job
        job.task = asyncio.create_task(self._run(job, photo, deadline, held))
        await asyncio.sleep(0)  # a task that is cancelled before its first step never closes what it holds
        return job

    def forget(self, job: Job) -> None:
        """Stop a job if it runs, and know nothing of it any more."""
        self._by_id.pop(job.id, None)
        self._answers_no_more(job)
        if job.expiry is not None:
            job.expiry.cancel()
        if job.task is not None:
            job.task.cancel()
        self._less.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Stop all jobs at the end of what is inside."""
        try:
            yield
        finally:
            jobs = list(self._by_id.values())
            tasks = [job.task for job in jobs if job.task is not None]
            for job in jobs:
                self.forget(job)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, job: Job, photo: Photo, deadline: Deadline, held: contextlib.AsyncExitStack) -> None:
        failure: ServiceError | None = Unavailable("The analysis was stopped.")
        try:
            async with held, within(deadline.left_s()):
                with _receipt(self._memory) as receipt:
                    await self._follow(job, photo, deadline, receipt.request_id)
            failure = None
        except ServiceError as error:
            failure = _twin(error)
            forget(error)
        except Exception:
            failure = Internal()
            _log.exception("bug")
        finally:
            job.task = None
            if not job.ended:
                job.end(failure)
            self._remember(job)

    async def _follow(self, job: Job, photo: Photo, deadline: Deadline, request_id: str) -> None:
        """Record the analysis; its memory is held until there is room for what it has told."""
        events = self._analyzer.analyze(photo, job.question.options, deadline=deadline, request_id=request_id)
        teller = Teller()
        async with contextlib.aclosing(events):
            async for event in events:
                job.tell(teller.told(event))
                if isinstance(event, domain.Analysis):
                    self._complete(job, event)
                    await self._make_room(job)

    def _complete(self, job: Job, analysis: domain.Analysis) -> None:
        """Let a result answer all who ask the same, and one that may be better next time nobody else."""
        if analysis.may_improve or not self.remembers:
            self._answers_no_more(job)
        elif job.id in self._by_id:
            self._by_question[job.question] = job
        job.end(None)

    async def _make_room(self, new: Job) -> None:
        """Forget what is old; while all of it is being read, wait for its readers, whose time is bounded."""
        while self.told_bytes > self._room_bytes and len(self._by_id) > 1:
            old = next((job for job in self._by_id.values() if job.ended and job.idle and job is not new), None)
            if old is not None:
                self.forget(old)
            else:
                self._less.clear()
                await self._less.wait()

    def _remember(self, job: Job) -> None:
        """Know an ended job for a while: for those who ask the same, and for who asks for it by its id."""
        if job.failure is not None:
            self._answers_no_more(job)
        if job.id in self._by_id:
            job.expiry = asyncio.get_running_loop().call_later(self._remember_s, self.forget, job)
        self._less.set()

    def _answers_no_more(self, job: Job) -> None:
        if self._by_question.get(job.question) is job:
            del self._by_question[job.question]

    def _stop_if_left(self, job: Job) -> None:
        if not job.ended and not job.kept:
            self.forget(job)
        self._less.set()


@contextlib.contextmanager
def _receipt(memory: MemoryMeter) -> Iterator[Receipt]:
    """A receipt that outlives its request, and shares that one's stages, which are logged with it."""
    asked = current_receipt()
    with open_receipt("" if asked is None else asked.request_id, memory) as receipt:
        if asked is not None:
            receipt.stages = asked.stages
        yield receipt


def _twin(error: ServiceError) -> ServiceError:
    """The same error with a traceback of its own: `forget` must not reach into the frames of others who see it."""
    twin = error.__class__.__new__(error.__class__)
    twin.args = error.args
    twin.__dict__.update(error.__dict__)
    return twin
