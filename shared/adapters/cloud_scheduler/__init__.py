"""The schedules port on Cloud Scheduler: one HTTP job per schedule, calling the worker with the invoker's token.

The schedules of the product itself come from the manifests through Terraform; this adapter reads them, and makes further
ones under the same rules.
"""

import threading
from collections.abc import Callable
from typing import Any

from shared.adapters.cloud_tasks import Target
from shared.adapters.google_calls import last_part, patience, translated
from shared.adapters.local_queue.cron import check_rule
from shared.ports.schedules import Schedule

__all__ = ["CloudScheduler"]

_SERVICE, _CODE = "Cloud Scheduler", "schedules"
_PATH = "/internal/schedules/"
_RETRIES = {"retry_count": 3, "min_backoff_duration": {"seconds": 10}, "max_backoff_duration": {"seconds": 60}}


class CloudScheduler:
    """The jobs of one project and location that call our worker; others are neither shown nor touched."""

    def __init__(self, parent: str, target: Target, client: Callable[[], Any] | None = None) -> None:
        """Take `projects/P/locations/L`, whom to call, and what makes the client (the official one by default)."""
        self._parent, self._target = parent, target
        self._make, self._making = client or _official, threading.Lock()
        self._made: Any = None

    def put(self, schedule: Schedule) -> None:
        """Create or replace a schedule. The rule is checked here, because the service takes further forms of rules."""
        from google.api_core.exceptions import AlreadyExists, NotFound

        check_rule(schedule.cron, schedule.time_zone)
        job = self._job(schedule)
        with translated(_SERVICE, _CODE):
            try:
                self._client.update_job(job=job, **patience())
            except NotFound:
                try:
                    self._client.create_job(parent=self._parent, job=job, **patience())
                except AlreadyExists:
                    self._client.update_job(job=job, **patience())

    def delete(self, name: str) -> None:
        """Remove a schedule; an unknown name is fine."""
        from google.api_core.exceptions import NotFound

        with translated(_SERVICE, _CODE):
            try:
                self._client.delete_job(name=self._name(name), **patience())
            except NotFound:
                return

    def list(self) -> list[Schedule]:
        """Return all schedules by name."""
        with translated(_SERVICE, _CODE):
            jobs = [job for job in self._client.list_jobs(parent=self._parent, **patience()) if _PATH in _uri(job)]
        found = [
            Schedule(last_part(job.name), job.schedule, job.time_zone, int(job.attempt_deadline.total_seconds()))
            for job in jobs
        ]
        return sorted(found, key=lambda schedule: schedule.name)

    def ping(self) -> None:
        """Read one page of jobs. Being denied it is an answer too."""
        from google.api_core.exceptions import PermissionDenied

        with translated(_SERVICE, _CODE):
            try:
                self._client.list_jobs(request={"parent": self._parent, "page_size": 1}, **patience(5.0))
            except PermissionDenied:
                return

    @property
    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _name(self, name: str) -> str:
        return f"{self._parent}/jobs/{name}"

    def _job(self, schedule: Schedule) -> dict[str, Any]:
        target = self._target
        return {
            "name": self._name(schedule.name),
            "schedule": schedule.cron,
            "time_zone": schedule.time_zone,
            "attempt_deadline": {"seconds": schedule.deadline_s},
            "retry_config": _RETRIES,
            "http_target": {
                "uri": f"{target.url}{_PATH}{schedule.name}",
                "http_method": "POST",
                "headers": {"Content-Type": "application/json"},
                "body": b"{}",
                "oidc_token": {"service_account_email": target.invoker, "audience": target.audience},
            },
        }


def _uri(job: Any) -> str:
    return str(job.http_target.uri)


def _official() -> Any:
    from google.cloud.scheduler_v1 import CloudSchedulerClient

    return CloudSchedulerClient()
