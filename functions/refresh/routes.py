"""Refreshes: start one, see how fresh the data is, read past runs."""

from collections.abc import Sequence
from typing import Any

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.router import Reply, Router
from shared.jobs.models import Accepted
from shared.oos.models import (
    LegacyRefreshTime,
    RefreshAccepted,
    RefreshJob,
    RefreshRun,
    RefreshStatus,
    RunFilter,
    StartRefresh,
    StartSourceRefresh,
)
from shared.oos.refreshes import StartedRefresh

router = Router("refresh")
Ctx = Context[App]


@router.post("/api/v1/refresh", "/api/trigger-refresh", access="operator", status=202, policy="refresh")
def start(ctx: Ctx, body: StartRefresh) -> Reply[RefreshAccepted]:
    """Refresh all configured sources, or one."""
    started = ctx.app.refreshes.start(body.source, ctx.caller, accept_drop=body.accept_drop, trace=ctx.traceparent)
    return _accepted(started)


@router.post("/api/v1/refresh/{source}", "/api/trigger-refresh/{source}", access="operator", status=202, policy="refresh")
def start_source(ctx: Ctx, source: str, body: StartSourceRefresh) -> Reply[RefreshAccepted]:
    """Refresh one source."""
    ctx.app.refreshes.known(source)
    started = ctx.app.refreshes.start(source, ctx.caller, accept_drop=body.accept_drop, trace=ctx.traceparent)
    return _accepted(started)


@router.get("/api/v1/refresh/status")
def status(ctx: Ctx) -> RefreshStatus:
    """Say how fresh each source is."""
    return ctx.app.refreshes.status()


@router.get("/api/last-refresh-time")
def last_refresh_time(ctx: Ctx) -> LegacyRefreshTime:
    """Say when anything was last refreshed."""
    return ctx.app.refreshes.last_refresh_time()


@router.get("/api/v1/refresh/runs")
def runs(ctx: Ctx, query: RunFilter) -> Page[RefreshRun]:
    """List refresh runs, newest first."""
    return ctx.paged(query, ctx.app.refreshes.runs_query(query), ctx.app.refreshes.run_of)


@router.get("/api/v1/refresh/runs/{id}")
def run(ctx: Ctx, id: str) -> RefreshRun:
    """Return one refresh run."""
    return ctx.app.refreshes.run(id)


def _accepted(started: Sequence[StartedRefresh]) -> Reply[RefreshAccepted]:
    jobs = [RefreshJob(source=one.source, job_id=one.job.id, joined=one.joined) for one in started]
    joined = all(one.joined for one in started)
    message = "A refresh is already running." if joined else "The refresh has started."
    answer: dict[str, Any] = {"jobs": jobs}
    body = RefreshAccepted.of([one.job.id for one in started], joined=joined, message=message, **answer)
    return Reply(body, status=202, headers={"Location": body.status_url})


__all__ = ["Accepted", "router"]
