"""The worker: what Cloud Tasks and Cloud Scheduler (or their local kin) call, and nobody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shared.app import App
from shared.http.context import Context
from shared.http.router import Reply, Router

if TYPE_CHECKING:
    from shared.jobs.models import Delivered, Scheduled

__all__ = ["router"]

router = Router("worker", "shared.jobs.models")
Ctx = Context[App]


def _told(body: bytes) -> Any:
    """Return a body of whatever form: one that is no task is acknowledged and dropped, or the queue would repeat it."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


@router.post("/internal/tasks/{job_type}", access="internal", atomic=False, idempotent=False, raw=True)
def run_task(ctx: Ctx, job_type: str) -> Delivered | Reply:
    """Carry out one delivery of a task."""
    answer = ctx.app.job_runner.deliver(job_type, _told(ctx.body))
    return Reply(answer.body, answer.status, answer.headers)


@router.post("/internal/schedules/{name}", access="internal", atomic=False, idempotent=False, status=202)
def run_schedule(ctx: Ctx, name: str) -> Scheduled | Reply:
    """Do what a schedule does, once per slot."""
    from shared.jobs.models import Scheduled

    job_ids = ctx.app.schedule_runner.fire(name, ctx.header("X-CloudScheduler-ScheduleTime"))
    return Reply({"status": "dropped"}, 200) if job_ids is None else Scheduled(job_ids=job_ids)
