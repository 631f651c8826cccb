"""The worker: what Cloud Tasks and Cloud Scheduler (or their local kin) call, and nobody else."""

import json
from typing import Any

from shared.app import App
from shared.http.context import Context
from shared.http.router import Reply, Router
from shared.jobs.models import Delivered, Scheduled

__all__ = ["router"]

router = Router("worker")
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
    job_ids = ctx.app.schedule_runner.fire(name, ctx.header("X-CloudScheduler-ScheduleTime"))
    return Reply({"status": "dropped"}, 200) if job_ids is None else Scheduled(job_ids=job_ids)
