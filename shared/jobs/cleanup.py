"""Forgetting: ended jobs with their items, and marks of slots, once their time is over."""

from collections.abc import Iterator

from shared.core.clock import Clock, instant
from shared.jobs.record import ITEMS, JOBS
from shared.jobs.slots import SLOTS
from shared.ports.documents import Delete, Documents, Query, Stored

__all__ = ["clean_jobs"]

_MANY = 200


def clean_jobs(documents: Documents, clock: Clock) -> int:
    """Remove what is over; repeating does no harm. Return how many jobs went."""
    due = instant(clock.now())
    gone = 0
    for job in _over(documents, JOBS, due):
        _drop_items(documents, job.key.id)
        documents.commit([Delete(job.key)])
        gone += 1
    for slot in _over(documents, SLOTS, due):
        documents.commit([Delete(slot.key)])
    return gone


def _over(documents: Documents, collection: str, due: str) -> Iterator[Stored]:
    """Yield documents whose time is over; the caller removes each before asking for the next."""
    query = Query(collection, order_by="delete_at", at_most=due, limit=_MANY)
    while page := documents.query(query):
        yield from page


def _drop_items(documents: Documents, job_id: str) -> None:
    query = Query(ITEMS, equals=(("job_id", job_id),), order_by="number", limit=_MANY)
    while page := documents.query(query):
        documents.commit([Delete(stored.key) for stored in page])
