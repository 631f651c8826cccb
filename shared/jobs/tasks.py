"""The tasks of jobs, and the writes that every end of a job shares."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.jobs.record import Record, job_key, lock_key
from shared.ports.documents import Delete, Put, Write
from shared.ports.tasks import Task

if TYPE_CHECKING:
    from shared.jobs.kinds import JobKind

__all__ = ["end_writes", "follow_up", "rescue_task", "step_task"]

_RESCUE_SLOT_S = 300


def step_task(record: Record, not_before: datetime | None = None) -> Task:
    """Return the task that delivers a job's next step; one name per step makes it single."""
    return _task(record, f"{record.id}-{record.step}", not_before)


def follow_up(record: Record, now: datetime, delay_s: float) -> Task:
    """Return the task of the next step, so many seconds from now."""
    return step_task(record, now + timedelta(seconds=delay_s) if delay_s > 0 else None)


def rescue_task(record: Record, now: datetime) -> Task:
    """Return another task for a step whose own was lost, under a name the queue has not heard."""
    return _task(record, f"{record.id}-{record.step}-rescue-{int(now.timestamp()) // _RESCUE_SLOT_S}", None)


def end_writes(kind: JobKind | None, record: Record, version: str) -> list[Write]:
    """Return what ends a job: its document, its claim to be the only one, and what the kind adds."""
    writes: list[Write] = [Put(job_key(record.id), record.data(), version)]
    if record.single_flight:
        writes.append(Delete(lock_key(record.kind, record.subject)))
    return writes + list(kind.on_end(record) if kind else ())


def _task(record: Record, name: str, not_before: datetime | None) -> Task:
    payload: dict[str, Any] = {
        "job_id": record.id,
        "step": record.step,
        "cursor": None,
        "lease_epoch": record.step_epoch,
        "payload": record.input,
    }
    headers = {"traceparent": record.trace} if record.trace else {}
    return Task(record.kind, record.queue, name, payload, not_before, headers)
