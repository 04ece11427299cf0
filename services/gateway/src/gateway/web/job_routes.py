"""`/api/jobs/{id}`: an analysis to poll, to follow again after a lost connection, or to stop."""

from typing import cast

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from gateway import messages
from gateway.core import Core
from gateway.deadline import Deadline
from gateway.feedback_store import FeedbackStore
from gateway.web import answers, failures, openapi, parameters
from gateway.web.handover import Handover
from gateway.web.job import Subscription
from gateway.web.jobs import Jobs
from gateway.web.questions import FollowHeaders
from gateway.web.routes import Operations
from gateway.web.stream import EventStream
from gateway.web.told import give

_POLL_AFTER_S = "1"


def operations(core: Core, jobs: Jobs) -> Operations:
    """The operations on jobs."""
    api = Operations("analysis")

    def known(request: Request) -> Subscription:
        subscription = jobs.get(request.path_params["job_id"])
        if subscription is None:
            raise HTTPException(404)
        return subscription

    @api.get("/api/jobs/{job_id}", openapi.JOB)
    async def poll(request: Request) -> Response:
        """How far a job is, and its result or error once it has ended; known for ten minutes after that.

        A replica short of room forgets the oldest ended jobs sooner; then the photo is to be sent again.
        """
        asked = known(request)
        headers = {"cache-control": "private, no-cache"} | ({} if asked.job.ended else {"retry-after": _POLL_AFTER_S})
        return Response(_report(asked, request.scope, core.feedback), headers=headers, media_type="application/json")

    @api.get("/api/jobs/{job_id}/events", openapi.JOB_EVENTS)
    async def follow(request: Request) -> Response:
        """What a job tells, from its start or from the last event that the caller has seen."""
        asked = known(request)
        seen = parameters.read_headers(request.headers, FollowHeaders).last_event_id
        events = EventStream(asked.job, Deadline.after(core.settings.request_deadline_s), core.feedback, after=seen)
        return Handover(events, asked.follow())

    @api.delete("/api/jobs/{job_id}", openapi.JOB_DELETE)
    async def stop(request: Request) -> Response:
        """Forget a job; its work is stopped, unless others wait for it: who follows it, or has sent the same photo."""
        jobs.forget(known(request))
        return Response(status_code=204)

    return api


def address(subscription: Subscription) -> str:
    """Where a caller finds the job."""
    return f"/api/jobs/{subscription.id}"


def accepted(subscription: Subscription, scope: Scope, feedback: FeedbackStore) -> Response:
    """The answer to who would rather not wait."""
    headers = {"location": address(subscription), "preference-applied": "respond-async", "retry-after": _POLL_AFTER_S}
    return Response(_report(subscription, scope, feedback), 202, headers, "application/json")


def _report(subscription: Subscription, scope: Scope, feedback: FeedbackStore) -> bytes:
    job = subscription.job
    progress, language = job.progress, failures.language_of(scope)
    failed = job.ended and job.failure is not None
    result = msgspec.Raw(give(job.result, scope, feedback)) if job.result and job.ended else None
    report = answers.JobReport(
        id=subscription.id,
        status="failed" if failed else "done" if job.ended else "running",
        stage=progress.stage,
        percent=progress.percent,
        message=messages.progress(progress.stage, language),
        events_url=f"{address(subscription)}/events",
        result=cast("answers.Analysis | None", result),  # is encoded already
        error=failures.describe(job.failure, scope).error if failed and job.failure else None,
    )
    return answers.encode(report)
