"""Tasks: calls to the worker made later, at least once. Adapters: `shared.adapters.local_queue`, `.cloud_tasks`.

A task is a POST to `/internal/tasks/{kind}` with `payload` as JSON body, `headers`, and the platform's own
(`X-CloudTasks-TaskName`, `-QueueName`, `-TaskRetryCount`, `Authorization: Bearer <OIDC token>`). A 2xx answer ends it; any
other, or none, makes the queue try again (after `Retry-After` when given, else 30 s x 2^n up to 10 min with jitter), up to 12
deliveries in all. Deliveries may come twice and in any order.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from shared.core.values import dataclass, field

__all__ = ["Task", "Tasks"]


@dataclass(frozen=True, slots=True)
class Task:
    """One call to make: `name` (`[A-Za-z0-9_-]{1,500}`) makes it single, `queue` is one of the declared queues."""

    kind: str
    queue: str
    name: str
    payload: Mapping[str, Any]
    not_before: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Tasks(Protocol):
    """A queue of calls. Every method raises `shared.core.errors.Transient` when the queue is in trouble."""

    def enqueue(self, task: Task) -> None:
        """Accept a task durably; a name seen before (for about an hour) is silently accepted and not run again."""
        ...

    def cancel(self, task: Task) -> None:
        """Remove a task that has not been delivered; unknown or running ones are left alone."""
        ...

    def ping(self) -> None:
        """Do one cheap round trip; raise Transient when the queue does not answer."""
        ...
