"""Calling the worker over HTTP, with the headers the platform would send."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.local_queue.tasks import Claimed
from shared.core.clock import instant
from shared.ports.schedules import Schedule

__all__ = ["HttpCalls"]

_TASK_DEADLINE_S = 600.0
_NO_ANSWER = Called(0)


class HttpCalls:
    """Delivers tasks and schedule slots to one worker address."""

    def __init__(self, worker_url: str, token: Callable[[], str]) -> None:
        """Take the worker's address and a source of tokens it accepts."""
        self._address, self._token = urlsplit(worker_url), token

    def task(self, claimed: Claimed) -> Called:
        """Deliver one task."""
        task = claimed.task
        headers = {
            **task.headers,
            "X-CloudTasks-TaskName": task.name,
            "X-CloudTasks-QueueName": task.queue,
            "X-CloudTasks-TaskRetryCount": str(claimed.retries),
        }
        return self._post(f"/internal/tasks/{task.kind}", headers, json.dumps(dict(task.payload)), _TASK_DEADLINE_S)

    def slot(self, schedule: Schedule, slot: datetime) -> Called:
        """Tell the worker that a slot of a schedule has come."""
        headers = {
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": schedule.name,
            "X-CloudScheduler-ScheduleTime": instant(slot),
        }
        return self._post(f"/internal/schedules/{schedule.name}", headers, "{}", float(schedule.deadline_s))

    def _post(self, path: str, headers: Mapping[str, str], body: str, timeout_s: float) -> Called:
        kind: Any = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
        connection = kind(self._address.hostname, self._address.port, timeout=timeout_s)
        sent = {**headers, "Content-Type": "application/json", "Authorization": f"Bearer {self._token()}"}
        try:
            connection.request("POST", self._address.path.rstrip("/") + path, body.encode(), sent)
            answer = connection.getresponse()
            answer.read()
            return Called(answer.status, _seconds(answer.getheader("Retry-After")))
        except (OSError, HTTPException):
            return _NO_ANSWER
        finally:
            connection.close()


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None
