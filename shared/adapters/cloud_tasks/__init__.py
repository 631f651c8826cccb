"""The tasks port on Cloud Tasks: one HTTP task per call, delivered to the worker with the invoker's OpenID Connect token."""

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from shared.adapters.google_calls import patience, translated
from shared.adapters.google_packages import client_module
from shared.core.values import dataclass
from shared.ports.tasks import Task

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient

__all__ = ["DEADLINE_S", "CloudTasks", "Target"]

DEADLINE_S = 600
"""How long one delivery may take; the worker's timeout in function.json is at least this."""
_SERVICE, _CODE = "Cloud Tasks", "tasks"
_PROBED = "refresh"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom the platform calls, and as whom: the worker's address, the token's audience, the account it is issued for."""

    url: str
    audience: str
    invoker: str


class CloudTasks:
    """The queues of one project and location; they themselves belong to Terraform."""

    def __init__(self, parent: str, target: Target, client: Callable[[], Any] | None = None) -> None:
        """Take `projects/P/locations/L`, whom to call, and what makes the client (the official one by default)."""
        self._parent, self._target = parent, target
        self._make, self._making = client or _official, threading.Lock()
        self._made: Any = None

    def enqueue(self, task: Task) -> None:
        """Create a task; a name the queue still remembers is silently accepted."""
        from google.api_core.exceptions import AlreadyExists

        with translated(_SERVICE, _CODE):
            try:
                self._client.create_task(parent=self._queue(task.queue), task=self._body(task), **patience())
            except AlreadyExists:
                return

    def cancel(self, task: Task) -> None:
        """Delete a task that has not been delivered; unknown or running ones are left alone."""
        from google.api_core.exceptions import FailedPrecondition, NotFound

        with translated(_SERVICE, _CODE):
            try:
                self._client.delete_task(name=self._name(task), **patience())
            except (NotFound, FailedPrecondition):
                return

    def ping(self) -> None:
        """Ask for one queue's record. Being denied it is an answer too: enqueueing needs no right to read queues."""
        from google.api_core.exceptions import PermissionDenied

        with translated(_SERVICE, _CODE):
            try:
                self._client.get_queue(name=self._queue(_PROBED), **patience(5.0))
            except PermissionDenied:
                return

    @property
    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _queue(self, name: str) -> str:
        return f"{self._parent}/queues/{name}"

    def _name(self, task: Task) -> str:
        return f"{self._queue(task.queue)}/tasks/{task.name}"

    def _body(self, task: Task) -> dict[str, Any]:
        target = self._target
        body: dict[str, Any] = {
            "name": self._name(task),
            "dispatch_deadline": {"seconds": DEADLINE_S},
            "http_request": {
                "http_method": "POST",
                "url": f"{target.url}/internal/tasks/{task.kind}",
                "headers": {**task.headers, "Content-Type": "application/json"},
                "body": json.dumps(dict(task.payload)).encode(),
                "oidc_token": {"service_account_email": target.invoker, "audience": target.audience},
            },
        }
        return body if task.not_before is None else {**body, "schedule_time": task.not_before}


def _official() -> "CloudTasksClient":
    return cast("CloudTasksClient", client_module("google.cloud.tasks_v2", "cloud_tasks").CloudTasksClient())
