"""From a request to the job that answers it: admission, upload, and whether the question was asked before."""

import contextlib
import dataclasses
import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from servicekit.deadlines import within
from servicekit.errors import Internal
from starlette.datastructures import Headers
from starlette.requests import Request

from gateway import domain
from gateway.core import Core
from gateway.deadline import Deadline
from gateway.photo import Photo
from gateway.web import questions, wishes
from gateway.web.connections import read_ahead
from gateway.web.job import Job, Subscription
from gateway.web.jobs import Jobs, question
from gateway.web.pace import Pace
from gateway.web.told import Told
from gateway.web.upload import Upload, declared_bytes


@dataclass(frozen=True, slots=True)
class Terms:
    """What a caller asks, and how.

    Attributes:
        options: What to look for.
        own_s: The caller's own deadline in seconds from the request's arrival; None without one.
        fresh: Nothing that was computed before will do.
        kept: The job goes on when the caller leaves.
    """

    options: domain.Options
    own_s: float | None = None
    fresh: bool = False
    kept: bool = False

    @classmethod
    def of(cls, headers: Headers, options: domain.Options, own_s: float | None = None) -> Self:
        """Read what the headers say."""
        return cls(options, own_s, wishes.is_fresh(headers), wishes.is_async(headers))


@dataclass(frozen=True, slots=True)
class Incoming:
    """The caller's interest in the job that answers a request, and the time by which it has to."""

    subscription: Subscription
    deadline: Deadline

    @property
    def job(self) -> Job:
        """The job."""
        return self.subscription.job


@contextlib.asynccontextmanager
async def received(core: Core, jobs: Jobs, request: Request, terms: Terms) -> AsyncIterator[Incoming]:
    """Admit a request, read its photo, and find or start the job that answers it.

    It counts as one analysis in flight inside, and, where the job goes on without its caller, until the job ends.

    The caller's own deadline covers the upload. Without one the analysis has its time from the last byte of the photo,
    because a phone's network may need longer for the upload than that.
    """
    settings = core.settings
    longest_s = settings.gateway_upload_deadline_s + settings.request_deadline_s
    end = Deadline.after(longest_s if terms.own_s is None else terms.own_s)
    upload_s = min(settings.gateway_upload_deadline_s, end.left_s())
    size_bytes = declared_bytes(request.headers)
    pace = Pace.of(
        size_bytes,
        deadline_s=settings.gateway_upload_deadline_s,
        grace_s=min(settings.gateway_upload_grace_s, upload_s),
        min_bytes_per_s=settings.gateway_min_upload_bytes_per_s,
        crowded=lambda: core.admission.crowded,
    )
    upload = Upload(request, pace, size_bytes)
    with contextlib.ExitStack() as until_through:
        until_through.enter_context(core.admission.count())
        await upload.begin()
        async with contextlib.AsyncExitStack() as held:
            memory = await held.enter_async_context(core.admission.hold(size_bytes, max_wait_s=upload_s))
            read_ahead(request.scope)
            photo = await upload.photo(timeout_s=min(upload_s, max(0.0, end.left_s())))
            memory.shrink_to(photo.size_bytes)
            if upload.fields:
                options = questions.options(request.scope["query_string"], upload.fields)
                terms = dataclasses.replace(terms, options=options)
            photo.sending = functools.partial(core.admission.send, photo.size_bytes)
            deadline = Deadline.after(max(0.0, min(settings.request_deadline_s, end.left_s())))
            subscription = find_job(jobs, photo, terms, deadline, held=held, place=until_through)
            until_through.callback(subscription.leave)
        yield Incoming(subscription, deadline)


def find_job(
    jobs: Jobs,
    photo: Photo,
    terms: Terms,
    deadline: Deadline,
    *,
    held: contextlib.AsyncExitStack,
    place: contextlib.ExitStack,
) -> Subscription:
    """Take an interest in the job that answers a question; without one start it, and give it what is `held` for it.

    The caller calls `leave` when it is through. `place` is taken, and closed when it no longer counts as in flight.

    For a caller with a deadline of its own only a job that has ended will do: a running one may take too long, and one
    that is started for it may have too little time for others.
    """
    asked = question(photo.sha256, terms.options)
    fresh, kept, in_time = terms.fresh or not jobs.remembers, terms.kept and jobs.remembers, terms.own_s is None
    job = None if fresh else jobs.answering(asked)
    if job is not None and (job.ended or in_time):
        return jobs.join(job, kept=kept, place=place)
    shared = in_time and not fresh
    return jobs.start(photo, terms.options, asked, deadline, held.pop_all(), shared=shared, kept=kept, place=place)


async def last_result(incoming: Incoming) -> Told:
    """Wait for a job's result.

    Raises:
        ServiceError: What it failed with, or DeadlineExceeded.
    """
    async with within(incoming.deadline.left_s()), contextlib.aclosing(incoming.job.told_after(0)) as events:
        async for _, event in events:
            if event.name == "result":
                return event
    raise Internal
