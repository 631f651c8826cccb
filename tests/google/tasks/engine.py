"""What Cloud Tasks does: takes HTTP tasks, remembers their names, delivers them, tries again as the queue says."""

import math
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from shared.core.clock import Clock
from tests.google.calls import Refused, channel, posted, serving

__all__ = ["PARENT", "CloudTasksEngine", "Token", "running_cloud_tasks"]

PARENT = "projects/test/locations/here"
QUEUES = frozenset({"refresh", "sync", "scraping", "import", "orders", "ai", "ml", "alerts"})
Token = Callable[[str, str], str]
"""Makes the OpenID Connect token of an account for an audience."""
_NAME = re.compile(rf"{PARENT}/queues/([A-Za-z0-9-]{{1,100}})/tasks/([A-Za-z0-9_-]{{1,500}})")
_REMEMBERED = timedelta(hours=1)
_LARGEST = 100 * 1024
_DEADLINES = (15, 1800)
_FURTHEST = timedelta(days=30)
_MOST_DELIVERIES, _BASE_S, _CAP_S, _DOUBLINGS = 12, 30.0, 600.0, 5
_OK = range(200, 300)


@dataclass
class _Waiting:
    task: Any
    due: datetime
    delivered: int = 0


class CloudTasksEngine:
    """The queues of one location; a task is delivered when a test calls `run_due`."""

    def __init__(self, clock: Clock, token: Token) -> None:
        """Take time, and what the platform signs its calls with."""
        self._clock, self._token = clock, token
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}
        self._over: dict[str, datetime] = {}
        self.denied: set[str] = set()
        self.trouble: list[Refused] = []

    def create_task(self, request: Any) -> Any:
        """CreateTask."""
        self._meet("CreateTask")
        task = request.task
        self._check(request.parent, task)
        now = self._clock.now()
        with self._lock:
            self._over = {name: at for name, at in self._over.items() if at + _REMEMBERED > now}
            if task.name in self._waiting or task.name in self._over:
                raise Refused("ALREADY_EXISTS", "Requested entity already exists")
            self._waiting[task.name] = _Waiting(task, max(now, task.schedule_time or now))
        return task

    def delete_task(self, request: Any) -> None:
        """DeleteTask."""
        self._meet("DeleteTask")
        with self._lock:
            if self._waiting.pop(request.name, None) is None:
                raise Refused("NOT_FOUND", "The task no longer exists")
            self._over[request.name] = self._clock.now()

    def get_queue(self, request: Any) -> Any:
        """GetQueue."""
        self._meet("GetQueue")
        self._known(request.name)
        return tasks_v2.Queue(name=request.name, state="RUNNING")

    def run_due(self) -> int:
        """Deliver what is due now, once each; return how many calls that made."""
        now = self._clock.now()
        with self._lock:
            due = sorted((each for each in self._waiting.values() if each.due <= now), key=lambda each: each.due)
        for each in due:
            self._settle(each, *self._delivered(each))
        return len(due)

    def next_due(self) -> datetime | None:
        """Return when the next task is due."""
        with self._lock:
            return min((each.due for each in self._waiting.values()), default=None)

    def _delivered(self, each: _Waiting) -> tuple[int, str | None]:
        call = each.task.http_request
        queue, name = _NAME.fullmatch(each.task.name).groups()  # type: ignore[union-attr]
        bearer = self._token(call.oidc_token.service_account_email, call.oidc_token.audience or call.url)
        headers = {
            **call.headers,
            "User-Agent": "Google-Cloud-Tasks",
            "X-CloudTasks-QueueName": queue,
            "X-CloudTasks-TaskName": name,
            "X-CloudTasks-TaskRetryCount": str(each.delivered),
            "X-CloudTasks-TaskExecutionCount": str(each.delivered),
            "Authorization": f"Bearer {bearer}",
        }
        return posted(call.url, call.body, headers)

    def _settle(self, each: _Waiting, status: int, retry_after: str | None) -> None:
        each.delivered += 1
        wait = float(retry_after) if retry_after else _back_off(each.delivered)
        with self._lock:
            if status in _OK or each.delivered >= _MOST_DELIVERIES:
                self._waiting.pop(each.task.name, None)
                self._over[each.task.name] = self._clock.now()
            else:
                each.due = self._clock.now() + timedelta(seconds=wait)

    def _check(self, parent: str, task: Any) -> None:
        self._known(parent)
        named = _NAME.fullmatch(task.name)
        if named is None or not task.name.startswith(f"{parent}/tasks/"):
            raise Refused("INVALID_ARGUMENT", "Task.name must be formatted: projects/P/locations/L/queues/Q/tasks/T")
        call = task.http_request
        if not call.url.startswith(("http://", "https://")):
            raise Refused("INVALID_ARGUMENT", "HttpRequest.url must start with http:// or https://")
        if task.dispatch_deadline and not _DEADLINES[0] <= task.dispatch_deadline.total_seconds() <= _DEADLINES[1]:
            raise Refused("INVALID_ARGUMENT", "Task.dispatchDeadline must be between [15s, 30m]")
        if task.schedule_time and task.schedule_time > self._clock.now() + _FURTHEST:
            raise Refused("INVALID_ARGUMENT", "The schedule time is more than 30 days away")
        if len(tasks_v2.Task.serialize(task)) > _LARGEST:
            raise Refused("INVALID_ARGUMENT", "Task size too large")

    def _known(self, queue: str) -> None:
        if queue.rpartition("/")[0] != f"{PARENT}/queues" or queue.rpartition("/")[2] not in QUEUES:
            raise Refused("NOT_FOUND", "Queue does not exist")

    def _meet(self, method: str) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        if method in self.denied:
            raise Refused("PERMISSION_DENIED", f"The caller lacks the right for {method}")


@contextmanager
def running_cloud_tasks(engine: CloudTasksEngine) -> Iterator[Callable[[], Any]]:
    """Serve an engine; yield what makes official clients that talk to it."""
    methods = {
        "CreateTask": (tasks_v2.CreateTaskRequest, engine.create_task),
        "DeleteTask": (tasks_v2.DeleteTaskRequest, engine.delete_task),
        "GetQueue": (tasks_v2.GetQueueRequest, engine.get_queue),
    }
    with serving("google.cloud.tasks.v2.CloudTasks", methods) as address, channel(address) as open_channel:
        transport = CloudTasksGrpcTransport(channel=open_channel)
        yield lambda: tasks_v2.CloudTasksClient(transport=transport)


def _back_off(delivered: int) -> float:
    return min(_CAP_S, _BASE_S * math.pow(2, min(delivered - 1, _DOUBLINGS)))
