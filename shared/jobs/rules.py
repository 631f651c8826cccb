"""The life of a job as pure functions: who may run it now, what each event makes of it, how long to wait.

queued ---> running ---> succeeded | failed | cancelled
  |  <-------- |  (a transient error: the same job, later)
  +---> cancelled
"""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from shared.core.clock import instant, parse_instant
from shared.core.errors import Problem, Terminal, Transient
from shared.core.values import dataclass
from shared.jobs.record import Lease, Record
from shared.jobs.states import ItemStatus, JobStatus

__all__ = [
    "BUDGET_S",
    "INTERNAL",
    "LEASE_S",
    "MAX_ATTEMPTS",
    "RESCUE_S",
    "Admission",
    "Item",
    "Progress",
    "Trouble",
    "Verdict",
    "admission",
    "cancelled_or_asked",
    "checkpointed",
    "continued",
    "ended",
    "retry_wait_s",
    "started",
    "trouble_of",
    "waiting",
]

MAX_ATTEMPTS = 5
LEASE_S = 60.0
BUDGET_S = 8 * 60.0
RESCUE_S = 15 * 60.0
_KEPT = {
    JobStatus.SUCCEEDED: timedelta(days=7),
    JobStatus.CANCELLED: timedelta(days=7),
    JobStatus.FAILED: timedelta(days=30),
}
_CAP_S, _RATE_CAP_S = 600.0, 1800.0
_BASE_S, _RATE_BASE_S = 30.0, 60.0
_JITTER = 0.2
INTERNAL = "internal_error"

Progress = tuple[int, int | None, str | None] | tuple[int, int | None, str | None, int]


class Admission(Enum):
    """What to do with a delivery."""

    RUN = "run"
    OLD = "old"
    UNKNOWN = "unknown"
    WAIT = "wait"
    EXHAUSTED = "exhausted"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An admission, and for WAIT the whole seconds until coming again makes sense."""

    admission: Admission
    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a step did not succeed, and whether trying again may help."""

    code: str
    detail: str
    transient: bool
    wait_s: float | None = None
    rate_limited: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """The fate of one item of a bulk job."""

    key: str
    status: ItemStatus
    code: str | None = None
    message: str | None = None


def admission(record: Record, step: int, lease_epoch: int, now: datetime) -> Verdict:
    """Decide what a delivery of a step may do now."""
    if not record.live or (step, lease_epoch) < (record.step, record.step_epoch):
        return Verdict(Admission.OLD)
    if step > record.step:
        return Verdict(Admission.UNKNOWN)
    if (left := _until(record.lease.expires_at if record.lease else None, now)) > 0:
        return Verdict(Admission.WAIT, left)
    if record.cancel_requested:
        return Verdict(Admission.CANCEL)
    if (left := _until(record.next_attempt_at, now)) > 0:
        return Verdict(Admission.WAIT, left)
    return Verdict(Admission.EXHAUSTED if record.attempts >= record.max_attempts else Admission.RUN)


def started(record: Record, holder: str, now: datetime) -> Record:
    """Take the lease for a delivery; the attempt counts from here, so that a crash counts too."""
    return replace(
        record,
        status=JobStatus.RUNNING,
        epoch=record.epoch + 1,
        lease=_lease(holder, now),
        attempts=record.attempts + 1,
        next_attempt_at=None,
        started_at=record.started_at or instant(now),
        due_at=instant(now + timedelta(seconds=LEASE_S + RESCUE_S)),
        version=record.version + 1,
    )


def checkpointed(
    record: Record, now: datetime, changes: dict[str, Any], progress: Progress | None, items: Sequence[Item]
) -> Record:
    """Record how far a step has come and renew its lease; `changes` may hold `cursor` and `counts`."""
    assert record.lease is not None
    failed = sum(item.status is ItemStatus.FAILED for item in items)
    succeeded = sum(item.status is ItemStatus.SUCCEEDED for item in items)
    processed = record.items_processed + len(items)
    total, message = record.items_total, record.progress_message
    good, bad = record.items_succeeded + succeeded, record.items_failed + failed
    if progress is not None:
        processed, total, message = progress[:3]
    if progress is not None and len(progress) == 4:  # noqa: PLR2004 - with how many failed
        good, bad = processed - progress[3], progress[3]
    return replace(
        record,
        **changes,
        lease=_lease(record.lease.holder, now),
        due_at=instant(now + timedelta(seconds=LEASE_S + RESCUE_S)),
        items_processed=processed,
        items_total=total,
        items_succeeded=good,
        items_failed=bad,
        items_recorded=record.items_recorded + len(items),
        progress_percent=max(record.progress_percent, _percent(processed, total)),
        progress_message=message,
        version=record.version + 1,
    )


def continued(record: Record, now: datetime, delay_s: float) -> Record:
    """Hand over to the next step's delivery: give the lease back, count attempts anew."""
    return replace(
        record,
        step=record.step + 1,
        step_epoch=record.epoch + 1,
        lease=None,
        attempts=0,
        due_at=instant(now + timedelta(seconds=delay_s + RESCUE_S)),
        version=record.version + 1,
    )


def waiting(record: Record, wait_s: float, trouble: Trouble, now: datetime) -> Record:
    """Put the job back in the queue after a transient error."""
    again = now + timedelta(seconds=wait_s)
    return replace(
        record,
        status=JobStatus.QUEUED,
        lease=None,
        next_attempt_at=instant(again),
        due_at=instant(again + timedelta(seconds=RESCUE_S)),
        progress_message=trouble.detail,
        version=record.version + 1,
    )


def ended(
    record: Record,
    status: JobStatus,
    now: datetime,
    *,
    result: dict[str, Any] | None = None,
    trouble: Trouble | None = None,
) -> Record:
    """End the job: percent is 100 exactly when it succeeded, and a passing trouble that ends it makes it a dead letter."""
    return replace(
        record,
        status=status,
        lease=None,
        next_attempt_at=None,
        due_at=None,
        delete_at=instant(now + _KEPT[status]),
        result=result,
        error={"code": trouble.code, "detail": trouble.detail} if trouble else None,
        dead_letter=trouble is not None and trouble.transient,
        progress_percent=100 if status is JobStatus.SUCCEEDED else record.progress_percent,
        finished_at=instant(now),
        version=record.version + 1,
    )


def cancelled_or_asked(record: Record, now: datetime) -> Record:
    """Cancel a job nobody is working on; ask the worker of any other to stop at its next checkpoint."""
    asked = replace(record, cancel_requested=True)
    if record.lease is None or not _until(record.lease.expires_at, now):
        return ended(asked, JobStatus.CANCELLED, now)
    return record if record.cancel_requested else replace(asked, version=record.version + 1)


def retry_wait_s(attempts: int, trouble: Trouble, rng: random.Random) -> float:
    """Return the wait after so many attempts: doubling, at least what the other side asked for, plus jitter."""
    base, cap = (_RATE_BASE_S, _RATE_CAP_S) if trouble.rate_limited else (_BASE_S, _CAP_S)
    planned = min(cap, base * 2.0 ** min(attempts - 1, 30))
    return float(max(planned, trouble.wait_s or 0.0) * (1 + rng.uniform(0, _JITTER)))


def trouble_of(error: Exception) -> Trouble:
    """Sort a failure of a step: Transient and refusals that pass are tried again, so are bugs; the rest is final."""
    if isinstance(error, Transient):
        return Trouble(error.code, error.detail, transient=True, wait_s=error.wait_s, rate_limited=error.rate_limited)
    if isinstance(error, Terminal):
        return Trouble(error.code, error.detail, transient=False)
    if isinstance(error, Problem):
        passing = error.status >= 500 or error.status == 429  # noqa: PLR2004 - the statuses of "try again"
        return Trouble(_snake(error.name), error.detail, passing, rate_limited=error.status == 429)  # noqa: PLR2004
    return Trouble(INTERNAL, "The step failed by a fault of ours.", transient=True)


def _lease(holder: str, now: datetime) -> Lease:
    return Lease(holder, instant(now + timedelta(seconds=LEASE_S)))


def _until(text: str | None, now: datetime) -> int:
    """Return the whole seconds until a time; 0 without one, and when it is past."""
    return max(0, math.ceil((parse_instant(text) - now).total_seconds())) if text else 0


def _percent(processed: int, total: int | None) -> int:
    """Return how far the work is; 100 is kept for success."""
    return min(99, 100 * processed // total) if total else 0


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
