"""Looking at many jobs: lists, items, numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from shared.core.clock import instant, parse_instant
from shared.core.errors import NotFound
from shared.jobs.kinds import Kinds
from shared.jobs.models import ItemStatus, Job, JobItem, JobStats, JobStatus
from shared.jobs.record import ITEMS, JOBS, Record, job_key
from shared.ports.documents import Position, Query, Stored
from shared.ports.store import Store

__all__ = ["Asked", "JobList", "Listed", "Span"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which jobs are wanted; empty means any, several values of one field mean any of them. Bounds are inclusive."""

    statuses: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a list is wanted: how many, behind which place or after how many, and whether to count all."""

    limit: int = 50
    after: Position | None = None
    offset: int = 0
    total: bool = False


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page: what was found, where to go on, and the exact total when it was asked for."""

    items: list[T]
    next: Position | None
    total: int | None


class JobList:
    """Reads over many jobs."""

    def __init__(self, store: Store, kinds: Kinds) -> None:
        """Take the store and the kinds to count."""
        self.store, self.kinds = store, kinds

    def find(self, asked: Asked, span: Span = Span()) -> Listed[Job]:
        """Return a page of jobs by time of creation, newest first unless asked otherwise."""
        query = Query(
            JOBS,
            equals=_equals(status=asked.statuses, kind=asked.kinds, subject=asked.subjects),
            order_by="created_at",
            descending=asked.descending,
            at_least=instant(asked.created_from) if asked.created_from else None,
            at_most=instant(asked.created_to) if asked.created_to else None,
        )
        return self._page(query, span, lambda stored: Record.of(stored).view())

    def items(self, job_id: str, statuses: tuple[ItemStatus, ...] = (), span: Span = Span()) -> Listed[JobItem]:
        """Return a page of a job's recorded items in order of work; raise NotFound for an unknown job."""
        if self.store.get(job_key(job_id)) is None:
            raise NotFound("No job has this id.", resource="job")
        query = Query(ITEMS, equals=(("job_id", job_id), *_equals(status=statuses)), order_by="number")
        return self._page(query, span, lambda stored: JobItem(**_shown(stored.data)))

    def stats(self, since: datetime | None = None) -> JobStats:
        """Count jobs by state and type, optionally only those created since; states without jobs cost no further count."""
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

    def _page(self, query: Query, span: Span, read: Callable[[Stored], T]) -> Listed[T]:
        found = self.store.query(replace(query, limit=span.limit + 1, after=span.after, offset=span.offset))
        taken = found[: span.limit]
        more = len(found) > span.limit
        place = Position(taken[-1].data[query.order_by or ""], taken[-1].key.id) if more else None
        return Listed([read(stored) for stored in taken], place, self.store.count(query) if span.total else None)


def _equals(**wanted: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    """Return filters for the fields that are restricted."""
    return tuple((field, _one_or_any(values)) for field, values in wanted.items() if values)


def _one_or_any(values: tuple[str, ...]) -> str | tuple[str, ...]:
    texts = tuple(str(value) for value in values)
    return texts[0] if len(texts) == 1 else texts


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in JobItem.model_fields}
