"""Stores and queues that break on command."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.ports.documents import Documents, Key, Query, Stored, Write
from shared.ports.tasks import Task, Tasks

__all__ = ["Crash", "TappedDocuments", "TappedTasks"]

Tap = Callable[[str, Any], None]


class Crash(BaseException):
    """The process dies here."""


def _quiet(_: str, __: Any) -> None:
    return None


class TappedDocuments:
    """A store that tells before and after each call what happens; the listener may raise."""

    def __init__(self, inner: Documents) -> None:
        """Take the real store."""
        self.inner, self.counts = inner, inner.counts
        self.most_writes = 500
        self.before: Tap = _quiet
        self.after: Tap = _quiet

    def get(self, key: Key) -> Stored | None:
        """Read one document."""
        self.before("get", key)
        return self.inner.get(key)

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Read several documents."""
        self.before("get_many", keys)
        return self.inner.get_many(keys)

    def query(self, query: Query) -> list[Stored]:
        """Find documents."""
        self.before("query", query)
        return self.inner.query(query)

    def count(self, query: Query) -> int:
        """Count documents."""
        self.before("count", query)
        return self.inner.count(query)

    def commit(self, writes: Sequence[Write]) -> list[str]:
        """Write documents."""
        self.before("commit", writes)
        versions = self.inner.commit(writes)
        self.after("commit", writes)
        return versions

    def commit_many(self, writes: Sequence[Write]) -> list[str]:
        """Write many documents, as many as is said here: few, so that there are more commits to die between."""
        self.before("commit", writes)
        versions = self.inner.commit_many(writes)
        self.after("commit", writes)
        return versions

    def ping(self) -> None:
        """Ask whether it is there."""
        self.inner.ping()

    def close(self) -> None:
        """Give everything back."""
        self.inner.close()


class TappedTasks:
    """A queue that tells before and after each task it takes; the listener may raise."""

    def __init__(self, inner: Tasks) -> None:
        """Take the real queue."""
        self.inner = inner
        self.before: Tap = _quiet
        self.after: Tap = _quiet

    def enqueue(self, task: Task) -> None:
        """Take a task."""
        self.before("enqueue", task)
        self.inner.enqueue(task)
        self.after("enqueue", task)

    def cancel(self, task: Task) -> None:
        """Remove a task."""
        self.inner.cancel(task)

    def ping(self) -> None:
        """Ask whether it is there."""
        self.inner.ping()
