"""Forgetting: ended jobs with their items, marks of slots, and whatever else says when it expires."""

from shared.core.clock import Clock, instant
from shared.jobs.record import ITEMS, JOBS
from shared.jobs.slots import SLOTS
from shared.ports.documents import Delete, Documents, Query

__all__ = ["clean_expired", "clean_jobs"]

_MANY = 200


def clean_jobs(documents: Documents, clock: Clock) -> int:
    """Remove what is over; repeating does no harm. Return how many jobs went."""
    gone = 0
    query = Query(JOBS, order_by="delete_at", at_most=instant(clock.now()), limit=_MANY)
    while page := documents.query(query):
        for job in page:
            _drop_items(documents, job.key.id)
            documents.commit([Delete(job.key)])
        gone += len(page)
    clean_expired(documents, clock, SLOTS, "delete_at")
    return gone


def clean_expired(
    documents: Documents, clock: Clock, collection: str, field: str = "expires_at", *, at_once: int = _MANY
) -> int:
    """Remove the documents of a collection whose time is over; return how many. Firestore's own expiry may be first.

    `at_once` are read together: few where they are large.
    """
    query = Query(collection, order_by=field, at_most=instant(clock.now()), limit=at_once)
    gone = 0
    while page := documents.query(query):
        documents.commit([Delete(stored.key) for stored in page])
        gone += len(page)
    return gone


def _drop_items(documents: Documents, job_id: str) -> None:
    query = Query(ITEMS, equals=(("job_id", job_id),), order_by="number", limit=_MANY)
    while page := documents.query(query):
        documents.commit([Delete(stored.key) for stored in page])
