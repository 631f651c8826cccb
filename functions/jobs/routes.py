"""Jobs: watch, cancel, retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import paginate
from shared.http.router import Router

if TYPE_CHECKING:
    from shared.jobs.models import ItemQuery, Job, JobItem, JobQuery, JobStats, RetryAccepted, StatsQuery, WaitQuery

__all__ = ["router"]

router = Router("jobs", "shared.jobs.models")
Ctx = Context[App]


@router.get("/api/v1/jobs")
def list_jobs(ctx: Ctx, query: JobQuery) -> Page[Job]:
    """List jobs, newest first."""
    return paginate(ctx, query, ctx.app.jobs.wanted(query), ctx.app.jobs.read)


@router.get("/api/v1/jobs/stats/summary", etag=False)
def summarise_jobs(ctx: Ctx, query: StatsQuery) -> JobStats:
    """Count jobs by state and type."""
    return ctx.app.jobs.stats(query.since)


@router.get("/api/v1/jobs/{id}")
def read_job(ctx: Ctx, id: str, query: WaitQuery) -> Job:
    """Return one job; with `wait`, when it changes or after so many seconds."""
    job = ctx.app.jobs.wait(id, query.wait)
    if job.finished_at is None:
        ctx.respond_header("Retry-After", "1")
    return job


@router.get("/api/v1/jobs/{id}/items")
def list_items(ctx: Ctx, id: str, query: ItemQuery) -> Page[JobItem]:
    """List what became of the items of a bulk job."""
    return paginate(ctx, query, ctx.app.jobs.wanted_items(id, query), ctx.app.jobs.read_item)


@router.post("/api/v1/jobs/{id}/cancel", access="operator")
def cancel_job(ctx: Ctx, id: str) -> Job:
    """Cancel a job: a queued one at once, a running one at its next checkpoint."""
    return ctx.app.jobs.cancel(id, ctx.precondition)


@router.post("/api/v1/jobs/{id}/retry", access="operator", status=202)
def retry_job(ctx: Ctx, id: str) -> RetryAccepted:
    """Repeat a failed or cancelled job as a new one that continues after the finished items."""
    from shared.jobs.models import RetryAccepted

    started = ctx.app.jobs.retry(id, ctx.caller, condition=ctx.precondition, request_trace=ctx.trace)
    answer = RetryAccepted.of_retry(started.job.id, joined=started.joined)
    ctx.respond_header("Location", answer.status_url)
    return answer
