"""Looking at many jobs: lists, items, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.core.clock import instant, parse_instant
from shared.core.errors import NotFound
from shared.jobs.record import ITEMS, JOBS, Record, job_key
from shared.jobs.states import JobStatus
from shared.ports.documents import Query, Stored

if TYPE_CHECKING:
    from shared.jobs.kinds import Kinds
    from shared.jobs.models import ItemQuery, Job, JobItem, JobQuery, JobStats
    from shared.ports.store import Store

__all__ = ["JobList"]


class JobList:
    """Reads over many jobs."""

    def __init__(self, store: Store, kinds: Kinds) -> None:
        """Take the store and the kinds to count."""
        self.store, self.kinds = store, kinds

    def wanted(self, asked: JobQuery) -> Query:
        """Return the document query behind a list of jobs; its page and order are the edge's business."""
        statuses = sorted({word.meant.value for word in asked.status or ()})
        return Query(
            JOBS,
            equals=_equals(
                status=statuses if len(statuses) < len(JobStatus) else (),
                kind=asked.job_type or (),
                subject=asked.subject or (),
            ),
            at_least=instant(asked.created_from) if asked.created_from else None,
            at_most=instant(asked.created_to) if asked.created_to else None,
        )

    def wanted_items(self, job_id: str, asked: ItemQuery) -> Query:
        """Return the document query behind a job's items; raise NotFound for an unknown job."""
        if self.store.get(job_key(job_id)) is None:
            raise NotFound("No job has this id.", resource="job")
        return Query(ITEMS, equals=(("job_id", job_id), *_equals(status=asked.status or ())))

    @staticmethod
    def read(stored: Stored) -> Job:
        """Read a job from its document."""
        return Record.of(stored).view()

    @staticmethod
    def read_item(stored: Stored) -> JobItem:
        """Read an item from its document."""
        from shared.jobs.models import JobItem

        return JobItem(**{name: stored.data[name] for name in JobItem.model_fields})

    def stats(self, since: datetime | None = None) -> JobStats:
        """Count jobs by state and type, optionally only those created since; states without jobs cost no further count."""
        from shared.jobs.models import JobStats

        counted = {status: self._count(since, status=status) for status in JobStatus}
        present = [status for status, number in counted.items() if number]
        by_type = {
            kind: {status.value: self._count(since, kind=kind, status=status) for status in present}
            for kind in (self.kinds if present else ())
        }
        shown = {kind: {status: n for status, n in each.items() if n} for kind, each in by_type.items()}
        waiting = (("status", JobStatus.QUEUED.value),)
        oldest = self.store.query(Query(JOBS, equals=waiting, order_by="created_at", limit=1))
        return JobStats(
            total=sum(counted.values()),
            **{status.value: number for status, number in counted.items()},
            by_type={kind: each for kind, each in shown.items() if each},
            oldest_queued_at=parse_instant(oldest[0].data["created_at"]) if oldest else None,
        )

    def _count(self, since: datetime | None, **equals: str) -> int:
        bound = instant(since) if since else None
        order = "created_at" if since else None
        filters = tuple((field, str(value)) for field, value in equals.items())
        return self.store.count(Query(JOBS, equals=filters, order_by=order, at_least=bound))


def _equals(**wanted: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    """Return filters for the fields that are restricted; several values mean any of them."""
    given = {field: tuple(dict.fromkeys(str(value) for value in values)) for field, values in wanted.items() if values}
    return tuple((field, values[0] if len(values) == 1 else values) for field, values in given.items())
