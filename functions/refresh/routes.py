"""Refreshes: start one, see how fresh the data is, read past runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import paginate
from shared.http.router import Router
from shared.oos.words import SourceName

from . import webhooks

if TYPE_CHECKING:
    from shared.oos.refresh_models import (
        LegacyRefreshTime,
        RefreshRun,
        RefreshStatus,
        RunFilter,
    )
    from shared.oos.start_models import RefreshAccepted, StartRefresh, StartSourceRefresh

__all__ = ["router"]

router = Router("refresh", "shared.oos.refresh_models", "shared.oos.start_models")
router.include(webhooks.router)
Ctx = Context[App]


@router.post(
    "/api/v1/refresh",
    "/api/trigger-refresh",
    access="operator",
    status=202,
    policy="refresh",
    successor="/api/v1/refresh",
)
def start(ctx: Ctx, body: StartRefresh) -> RefreshAccepted:
    """Refresh all configured sources, or one."""
    return _accepted(ctx, body.source, accept_drop=body.accept_drop)


@router.post(
    "/api/v1/refresh/{source}", "/api/trigger-refresh/{source}", access="operator", status=202, policy="refresh"
)
def start_source(ctx: Ctx, source: SourceName, body: StartSourceRefresh) -> RefreshAccepted:
    """Refresh one source."""
    return _accepted(ctx, source.value, accept_drop=body.accept_drop)


@router.get("/api/v1/refresh/status")
def status(ctx: Ctx) -> RefreshStatus:
    """Say how fresh each source is."""
    return ctx.app.refreshes.status()


@router.get("/api/last-refresh-time", successor="/api/v1/refresh/status")
def last_refresh_time(ctx: Ctx) -> LegacyRefreshTime:
    """Say when anything was last refreshed."""
    return ctx.app.refreshes.last_refresh_time()


@router.get("/api/v1/refresh/runs")
def list_runs(ctx: Ctx, query: RunFilter) -> Page[RefreshRun]:
    """List refresh runs, newest first."""
    return paginate(ctx, query, ctx.app.refreshes.runs(query), ctx.app.refreshes.run_of)


@router.get("/api/v1/refresh/runs/{id}")
def read_run(ctx: Ctx, id: str) -> RefreshRun:
    """Return one refresh run."""
    return ctx.app.refreshes.run(id)


def _accepted(ctx: Ctx, source: str, *, accept_drop: bool) -> RefreshAccepted:
    started = ctx.app.refreshes.start(source, ctx.caller, accept_drop=accept_drop, trace=ctx.trace)
    answer = ctx.app.refreshes.accepted(started)
    ctx.respond_header("Location", answer.status_url)
    return answer
