"""An analysis that several callers share, and what each of them has of it: an id of its own."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Callable

from servicekit.errors import ServiceError

from gateway import domain
from gateway.web.told import Told

JOB_BYTES = 1_000
"""What an ended job takes beside what it has told, and what the error of one that failed takes, without its texts."""
SUBSCRIPTION_BYTES = 600
"""What one more id of it takes."""


class Job:
    """One analysis and all that it has told so far.

    Attributes:
        question: What it answers, see `jobs.question`.
        ended: Whether no more will be told.
        failure: What it ended with; None while it runs and when it succeeded.
        progress: How far it is.
        size_bytes: Memory that it takes once it has ended, its ids not counted.
        subscriptions: The callers who are interested in it. Without any it is stopped and forgotten.
    """

    __slots__ = (
        "_news", "ended", "events", "failure", "progress", "question", "size_bytes", "subscriptions", "task",
    )  # fmt: skip

    def __init__(self, question: bytes) -> None:
        self.question = question
        self.events: list[Told] = []
        self.progress = domain.Progress("received", 0)
        self.ended = False
        self.failure: ServiceError | None = None
        self.size_bytes = JOB_BYTES
        self.subscriptions: set[Subscription] = set()
        self.task: asyncio.Task[None] | None = None
        self._news: asyncio.Event | None = None

    @property
    def result(self) -> Told | None:
        """The result; None when there is none yet, or none at all."""
        last = self.events[-1] if self.events else None
        return last if last is not None and last.name == "result" else None

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
            self._news = self._news or asyncio.Event()
            await self._news.wait()
        if self.failure is not None:
            raise twin(self.failure)

    def tell(self, event: Told) -> None:
        """Add an event."""
        self.events.append(event)
        self.size_bytes += event.size_bytes
        if isinstance(event.data, domain.Progress):
            self.progress = event.data
        self._wake()

    def end(self, failure: ServiceError | None) -> None:
        """Tell no more. Of a job that failed only the error is of use."""
        self.ended, self.failure = True, failure
        if failure is not None:
            self.events = []
            self.size_bytes = JOB_BYTES + len(failure.message)
            self.size_bytes += sum(len(name) + len(text) for name, text in failure.details.items())
        self._wake()

    def _wake(self) -> None:
        if self._news is not None:
            news, self._news = self._news, None
            news.set()


class Subscription:
    """One caller's interest in a job, which is nobody else's to end.

    It counts as an analysis in flight while its request is answered or somebody follows by its id, and, where it is
    `kept`, until the job ends.

    Attributes:
        id: A secret: who knows it may read what the job tells, and end this interest.
        kept: Whether the job goes on for it without followers, and is known by the id afterwards even if it failed.
        known: Whether the job can be asked for by the id.
        followers: How many wait for what the job tells, the caller's own request among them.
        expires_s: When the id is forgotten, in the event loop's time; 0 while the job runs.
    """

    __slots__ = ("_on_change", "_place", "expires_s", "followers", "id", "job", "kept", "known")

    def __init__(
        self,
        job: Job,
        *,
        kept: bool,
        place: contextlib.ExitStack,
        on_change: Callable[["Subscription"], None],
    ) -> None:
        """Begin with one follower, the request; `place` is taken, and closed when this counts as in flight no more."""
        self.id = secrets.token_urlsafe(16)
        self.job = job
        self.kept = kept
        self.known = True
        self.followers = 1
        self.expires_s = 0.0
        self._place: contextlib.ExitStack | None = place.pop_all()
        self._on_change = on_change

    @property
    def wanted(self) -> bool:
        """Whether its caller follows or may ask for the job by the id; for an error only who would rather not wait."""
        lasts = self.kept or (self.job.ended and self.job.failure is None)
        return self.followers > 0 or (self.known and lasts)

    def follow(self) -> Callable[[], None]:
        """Wait for what the job tells, until what is returned is called, once."""
        self.followers += 1
        return self.leave

    def leave(self) -> None:
        """Follow no more; the request's end, too."""
        self.followers -= 1
        self._on_change(self)

    def give_up_place(self) -> None:
        """Count no more as in flight where nobody follows and nothing runs for it."""
        runs = self.known and self.kept and not self.job.ended
        if self._place is not None and not self.followers and not runs:
            self._place.close()
            self._place = None


def twin(error: ServiceError) -> ServiceError:
    """The same error with a traceback of its own: `forget` must not reach into the frames of others who see it."""
    copy = error.__class__.__new__(error.__class__)
    copy.args = error.args
    copy.__dict__.update(error.__dict__)
    return copy
