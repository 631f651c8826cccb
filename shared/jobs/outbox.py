"""Tasks on their way out: a row in the commit that decided them, removed once the queue has taken them.

A crash before the queue was told leaves the row, and the sweep tells it later. A crash between telling and removing makes
the queue hear the same name twice, which it ignores; and were the name forgotten, the job document would.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import Transient
from shared.ports.documents import Create, Delete, Key, Query
from shared.ports.tasks import Task, Tasks

if TYPE_CHECKING:
    from shared.ports.store import Store

__all__ = ["OUTBOX", "Outbox"]

OUTBOX = "task_outbox"
_LOG = logging.getLogger("onhand.jobs")
_GRACE_S = 10.0
_MANY = 100


class Outbox:
    """The way from a commit to the queue."""

    def __init__(self, store: Store, tasks: Tasks, clock: Clock) -> None:
        """Take the store that holds the rows and the queue they go to."""
        self._store, self._tasks, self._clock = store, tasks, clock

    def add(self, task: Task) -> Create:
        """Return the write that decides a task, and send it after the surrounding commit."""
        self._store.after_commit(lambda: self._send(task))
        return Create(_key(task), {**_row(task), "made_at": instant(self._clock.now())})

    def sweep(self) -> int:
        """Send what has waited longer than a dispatcher needs; return how many were sent."""
        before = instant(self._clock.now() - timedelta(seconds=_GRACE_S))
        rows = self._store.query(Query(OUTBOX, order_by="made_at", at_most=before, limit=_MANY))
        return sum(self._sent(_task(row.data)) for row in rows)

    def _send(self, task: Task) -> None:
        self._sent(task)

    def _sent(self, task: Task) -> bool:
        """Tell the queue and remove the row; leave it to the sweep when either is in trouble."""
        try:
            self._tasks.enqueue(task)
            self._store.documents.commit([Delete(_key(task))])
        except Transient as trouble:
            _LOG.warning("task %s stays in the outbox: %s", task.name, trouble.code)
            return False
        return True


def _key(task: Task) -> Key:
    return Key(OUTBOX, task.name)


def _row(task: Task) -> dict[str, Any]:
    return {
        "kind": task.kind,
        "queue": task.queue,
        "name": task.name,
        "payload": dict(task.payload),
        "not_before": instant(task.not_before) if task.not_before else None,
        "headers": dict(task.headers),
    }


def _task(row: Mapping[str, Any]) -> Task:
    not_before: datetime | None = parse_instant(row["not_before"]) if row["not_before"] else None
    return Task(row["kind"], row["queue"], row["name"], row["payload"], not_before, row["headers"])
