"""The tasks port on an SQLite file of its own."""

import json
from collections.abc import Callable, Collection
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from shared.adapters.sqlite.connections import Connections
from shared.core.clock import Clock, instant
from shared.core.values import dataclass
from shared.ports.tasks import Task

__all__ = ["Claimed", "QueueState", "SqliteTasks"]

_REMEMBERED = timedelta(hours=1)
_TABLE = """
CREATE TABLE IF NOT EXISTS tasks (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, queue TEXT NOT NULL, payload TEXT NOT NULL, headers TEXT NOT NULL,
    state TEXT NOT NULL, due_at TEXT NOT NULL, retries INTEGER NOT NULL DEFAULT 0, settled_at TEXT
) WITHOUT ROWID
"""
_INDEX = "CREATE INDEX IF NOT EXISTS tasks_by_time ON tasks (state, due_at)"
_WAITING, _RUNNING, _OVER = "waiting", "running", "over"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task taken for delivery, and how often it was delivered before."""

    task: Task
    retries: int


@dataclass(frozen=True, slots=True)
class QueueState:
    """How many tasks wait, how many of those are due, how many are being delivered."""

    queued: int
    due: int
    running: int


class SqliteTasks:
    """A durable queue of calls for one process; safe for threads. One dispatcher empties it."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Open or create the file; `:memory:` for none."""
        self._connections, self._clock = Connections(path), clock
        self.on_change: Callable[[], None] = lambda: None
        with self._connections.writing() as connection:
            connection.execute(_TABLE)
            connection.execute(_INDEX)

    def enqueue(self, task: Task) -> None:
        """Accept a task durably; a name heard within the last hour is silently accepted and not run again."""
        now = self._clock.now()
        row = (
            *(task.name, task.kind, task.queue, json.dumps(dict(task.payload)), json.dumps(dict(task.headers))),
            *(_WAITING, instant(task.not_before or now)),
        )
        with self._connections.writing() as connection:
            connection.execute(
                "DELETE FROM tasks WHERE state = ? AND settled_at < ?", (_OVER, instant(now - _REMEMBERED))
            )
            connection.execute(
                "INSERT OR IGNORE INTO tasks (name, kind, queue, payload, headers, state, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        self.on_change()

    def cancel(self, task: Task) -> None:
        """Remove a task that has not been delivered; its name stays used, as in the cloud."""
        self._end(task.name, (_WAITING,))

    def ping(self) -> None:
        """Do one cheap round trip."""
        self._connections.rows("SELECT 1", ())

    def claim(self, full: Collection[str] = ()) -> Claimed | None:
        """Take the task that is longest due, leaving out the queues that are full; None when nothing is due."""
        with self._connections.writing() as connection:
            due = connection.execute(
                "SELECT name, kind, queue, payload, headers, retries FROM tasks "
                "WHERE state = ? AND due_at <= ? ORDER BY due_at, name",
                (_WAITING, instant(self._clock.now())),
            )
            with closing(due):
                found = next((row for row in due if row[2] not in full), None)
            if found is None:
                return None
            connection.execute("UPDATE tasks SET state = ? WHERE name = ?", (_RUNNING, found[0]))
        return _claimed(found)

    def done(self, claimed: Claimed) -> None:
        """End a task; its name is remembered for an hour."""
        self._end(claimed.task.name, (_WAITING, _RUNNING))
        self.on_change()

    def again(self, claimed: Claimed, at: datetime) -> None:
        """Put a task back for another delivery."""
        with self._connections.writing() as connection:
            connection.execute(
                "UPDATE tasks SET state = ?, due_at = ?, retries = retries + 1 WHERE name = ?",
                (_WAITING, instant(at), claimed.task.name),
            )
        self.on_change()

    def release(self) -> int:
        """Put back what a dead dispatcher had taken; call it before the first claim. Return how many there were."""
        with self._connections.writing() as connection:
            return connection.execute("UPDATE tasks SET state = ? WHERE state = ?", (_WAITING, _RUNNING)).rowcount

    def state(self) -> QueueState:
        """Count what waits and what runs."""
        sql = "SELECT count(*), count(*) FILTER (WHERE due_at <= ?) FROM tasks WHERE state = ?"
        now = instant(self._clock.now())
        queued, due = self._connections.rows(sql, (now, _WAITING))[0]
        running, _ = self._connections.rows(sql, (now, _RUNNING))[0]
        return QueueState(queued, due, running)

    def next_due(self) -> str | None:
        """Return when the next waiting task is due, as `instant` writes it."""
        row: Any = self._connections.rows("SELECT min(due_at) FROM tasks WHERE state = ?", (_WAITING,))[0]
        return row[0] if row[0] is None else str(row[0])

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    def _end(self, name: str, states: tuple[str, ...]) -> None:
        now = instant(self._clock.now())
        with self._connections.writing() as connection:
            for state in states:
                line = "UPDATE tasks SET state = ?, settled_at = ? WHERE name = ? AND state = ?"
                connection.execute(line, (_OVER, now, name, state))


def _claimed(row: tuple[str, str, str, str, str, int]) -> Claimed:
    name, kind, queue, payload, headers, retries = row
    return Claimed(Task(kind, queue, name, json.loads(payload), None, json.loads(headers)), retries)
