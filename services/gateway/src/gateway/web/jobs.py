"""All analyses that run or are remembered: the same photo is computed once, and its results are kept for a while."""

import asyncio
import contextlib
import contextvars
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator

import msgspec
from servicekit.deadlines import within
from servicekit.errors import Internal, ServiceError, Unavailable
from servicekit.memory import MemoryMeter
from servicekit.receipts import Receipt, Stage, current_receipt, open_receipt
from servicekit.tracebacks import forget

from gateway import domain
from gateway.deadline import Deadline
from gateway.photo import Photo
from gateway.pipeline import Analyzer
from gateway.web.job import SUBSCRIPTION_BYTES, Job, Subscription, twin
from gateway.web.told import Teller

_log = logging.getLogger("jobs")


def question(photo_sha256: bytes, options: domain.Options) -> bytes:
    """What two requests must share to be answered once, as a digest: however long a palette is, this is not."""
    return hashlib.sha256(photo_sha256 + msgspec.json.encode(options)).digest()


class Jobs:
    """Jobs by their callers' ids, and by what they answer.

    What runs is bounded by who may come in (`gateway.admission`). What has ended is bounded in time and in bytes, where
    every job and every id counts with what it takes. The oldest ids are forgotten for newer ones, and a job with its
    last id.
    """

    def __init__(self, analyzer: Analyzer, memory: MemoryMeter, *, room_bytes: int, remember_s: float) -> None:
        """Set the bounds.

        Args:
            analyzer: Does the work.
            memory: For the receipts.
            room_bytes: For all that is kept of ended jobs.
            remember_s: How long a job is known by an id after its end.
        """
        self._analyzer = analyzer
        self._memory = memory
        self._room_bytes = room_bytes
        self._remember_s = remember_s
        self.remembers = remember_s > 0
        self.kept_bytes = 0
        self._by_id: dict[str, Subscription] = {}
        self._by_question: dict[bytes, Job] = {}
        self._ended: OrderedDict[Subscription, None] = OrderedDict()  # known ids of ended jobs, the oldest first
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._less = asyncio.Event()

    def get(self, job_id: str) -> Subscription | None:
        """A caller's interest in a job that is running or remembered."""
        return self._by_id.get(job_id)

    def answering(self, asked: bytes) -> Job | None:
        """The job that answers a question or has answered it."""
        return self._by_question.get(asked)

    def join(self, job: Job, *, kept: bool, place: contextlib.ExitStack) -> Subscription:
        """Take an interest in a job. The caller calls `leave` when its request is through."""
        one = Subscription(job, kept=kept, place=place, on_change=self._review)
        self._by_id[one.id] = one
        job.subscriptions.add(one)
        self.kept_bytes += SUBSCRIPTION_BYTES
        if job.ended:
            self._remember(one)
            self._forget_oldest()
        return one

    def start(
        self,
        photo: Photo,
        options: domain.Options,
        asked: bytes,
        deadline: Deadline,
        held: contextlib.AsyncExitStack,
        *,
        shared: bool,
        kept: bool,
        place: contextlib.ExitStack,
    ) -> Subscription:
        """Start to analyze a photo.

        Args:
            photo: Is taken.
            options: What to look for.
            asked: Both as a `question`.
            deadline: For the analysis.
            held: What the analysis holds; closed when it ends.
            shared: Whether those who ask the same may follow while it runs; they share a complete result anyway.
            kept: Whether it runs on without followers.
            place: Is taken, see `Subscription`.
        """
        job = Job(asked)
        if shared:
            self._by_question[asked] = job
        request = current_receipt()
        request_id = "" if request is None else request.request_id
        events = self._analyzer.analyze(photo, options, deadline=deadline, request_id=request_id)
        receipt = _receipt(request_id, [] if request is None else request.stages, self._memory)
        job.task = asyncio.create_task(self._run(job, events, receipt, deadline, held))
        self._running.add(job.task)
        job.task.add_done_callback(self._running.discard)
        return self.join(job, kept=kept, place=place)

    def forget(self, one: Subscription) -> None:
        """Know nothing of a job by this id any more. Others who are interested in it are not disturbed."""
        one.known = False
        self._by_id.pop(one.id, None)
        self._ended.pop(one, None)
        self._review(one)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Stop all jobs at the end of what is inside."""
        try:
            yield
        finally:
            for one in list(self._by_id.values()):
                self.forget(one)
            await asyncio.sleep(0)
            for task in self._running:
                if not task.cancelling():
                    task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            if self._timer is not None:
                self._timer.cancel()

    async def _run(
        self,
        job: Job,
        events: AsyncGenerator[domain.Event, None],
        receipt: contextlib.AbstractContextManager[Receipt],
        deadline: Deadline,
        held: contextlib.AsyncExitStack,
    ) -> None:
        failure: ServiceError | None = Unavailable("The analysis was stopped.")
        try:
            async with held, within(deadline.left_s()):
                with receipt:
                    await self._record(job, events)
            failure = None
        except ServiceError as error:
            failure = twin(error)
            forget(error)
        except Exception:
            failure = Internal()
            _log.exception("bug")
        finally:
            job.task = None
            if not job.ended:
                self._end(job, failure)
            for one in list(job.subscriptions):
                if one.known:
                    self._remember(one)
                self._review(one)
            self._forget_oldest()

    async def _record(self, job: Job, events: AsyncGenerator[domain.Event, None]) -> None:
        """Record the analysis; its memory is held until there is room for what it has told."""
        teller = Teller()
        async with contextlib.aclosing(events):
            async for event in events:
                job.tell(teller.told(event))
                if isinstance(event, domain.Analysis):
                    self._complete(job, event)
                    await self._make_room()

    def _complete(self, job: Job, analysis: domain.Analysis) -> None:
        """Let a result answer all who ask the same, and one that may be better next time nobody else."""
        self._end(job, None)
        if analysis.may_improve or not self.remembers:
            self._answers_no_more(job)
        elif job.subscriptions:
            self._by_question[job.question] = job

    def _end(self, job: Job, failure: ServiceError | None) -> None:
        job.end(failure)
        if failure is not None:
            self._answers_no_more(job)
        if job.subscriptions:
            self.kept_bytes += job.size_bytes

    async def _make_room(self) -> None:
        """Forget what is old; while all of it is being read, wait for its readers, whose time is bounded."""
        self._forget_oldest()
        while self.kept_bytes > self._room_bytes and self._ended:
            self._less.clear()
            await self._less.wait()
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Forget the oldest ids that nobody follows by, until what is kept fits."""
        while self.kept_bytes > self._room_bytes:
            old = next((one for one in self._ended if not one.followers), None)
            if old is None:
                return
            self.forget(old)

    def _remember(self, one: Subscription) -> None:
        """Know an ended job by an id for a while."""
        one.expires_s = asyncio.get_running_loop().time() + self._remember_s
        self._ended[one] = None
        self._ended.move_to_end(one)
        self._expire_later()

    def _expire_later(self) -> None:
        """Set the one timer for the oldest id; it holds on to no request."""
        if self._timer is None and self._ended:
            at_s = next(iter(self._ended)).expires_s
            self._timer = asyncio.get_running_loop().call_at(at_s, self._expire, context=contextvars.Context())

    def _expire(self) -> None:
        self._timer = None
        now_s = asyncio.get_running_loop().time()
        while self._ended and (oldest := next(iter(self._ended))).expires_s <= now_s:
            self.forget(oldest)
        self._expire_later()

    def _review(self, one: Subscription) -> None:
        """Let go of an interest that is none any more, and with a job's last one of the job."""
        one.give_up_place()
        self._less.set()
        if one.wanted or one not in one.job.subscriptions:
            return
        one.known = False
        self._by_id.pop(one.id, None)
        self._ended.pop(one, None)
        one.job.subscriptions.discard(one)
        self.kept_bytes -= SUBSCRIPTION_BYTES
        if not one.job.subscriptions:
            self._drop(one.job)

    def _drop(self, job: Job) -> None:
        self._answers_no_more(job)
        if job.ended:
            self.kept_bytes -= job.size_bytes
        elif job.task is not None:  # after its first step: a task cancelled before that never closes what it holds
            asyncio.get_running_loop().call_soon(job.task.cancel)

    def _answers_no_more(self, job: Job) -> None:
        if self._by_question.get(job.question) is job:
            del self._by_question[job.question]


@contextlib.contextmanager
def _receipt(request_id: str, stages: list[Stage], memory: MemoryMeter) -> Iterator[Receipt]:
    """A receipt that outlives that of its request, and shares its stages, which are logged with it."""
    with open_receipt(request_id, memory) as receipt:
        receipt.stages = stages
        yield receipt
