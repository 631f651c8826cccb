"""What Cloud Scheduler does: keeps HTTP jobs, calls each at its slots, tries again as the job says."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.cloud import scheduler_v1
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport

from shared.adapters.local_queue.cron import check_rule, next_slot
from shared.core.clock import Clock
from tests.google.calls import Refused, channel, posted, serving
from tests.google.tasks.engine import PARENT, Token

__all__ = ["CloudSchedulerEngine", "running_cloud_scheduler"]

_NAME = re.compile(rf"{PARENT}/jobs/([A-Za-z0-9_-]{{1,500}})")
_PAGE = 2
_DEADLINES = (15, 1800)
_OK = range(200, 300)


@dataclass
class _Kept:
    job: Any
    slot: datetime
    due: datetime
    tries: int = 0


class CloudSchedulerEngine:
    """The jobs of one location; what is due is called when a test calls `fire_due`."""

    def __init__(self, clock: Clock, token: Token) -> None:
        """Take time, and what the platform signs its calls with."""
        self._clock, self._token = clock, token
        self._lock = threading.Lock()
        self._jobs: dict[str, _Kept] = {}
        self.denied: set[str] = set()
        self.trouble: list[Refused] = []

    def create_job(self, request: Any) -> Any:
        """CreateJob."""
        self._meet("CreateJob")
        with self._lock:
            if request.job.name in self._jobs:
                raise Refused("ALREADY_EXISTS", "Job already exists")
            return self._keep(request.job)

    def update_job(self, request: Any) -> Any:
        """UpdateJob."""
        self._meet("UpdateJob")
        with self._lock:
            if request.job.name not in self._jobs:
                raise Refused("NOT_FOUND", "Job not found")
            return self._keep(request.job)

    def delete_job(self, request: Any) -> None:
        """DeleteJob."""
        self._meet("DeleteJob")
        with self._lock:
            if self._jobs.pop(request.name, None) is None:
                raise Refused("NOT_FOUND", "Job not found")

    def list_jobs(self, request: Any) -> Any:
        """ListJobs, in small pages and no particular order."""
        self._meet("ListJobs")
        start = int(request.page_token or 0)
        with self._lock:
            jobs = [kept.job for kept in reversed(self._jobs.values())]
        end = start + min(_PAGE, request.page_size or _PAGE)
        more = {"next_page_token": str(end)} if end < len(jobs) else {}
        return scheduler_v1.ListJobsResponse(jobs=jobs[start:end], **more)

    def fire_due(self) -> None:
        """Call what is due now."""
        now = self._clock.now()
        with self._lock:
            due = [kept for kept in self._jobs.values() if kept.due <= now]
        for kept in due:
            self._settle(kept, self._called(kept) in _OK)

    def _called(self, kept: _Kept) -> int:
        target = kept.job.http_target
        bearer = self._token(target.oidc_token.service_account_email, target.oidc_token.audience or target.uri)
        headers = {
            **target.headers,
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": kept.job.name.rpartition("/")[2],
            "X-CloudScheduler-ScheduleTime": kept.slot.isoformat().replace("+00:00", "Z"),
            "Authorization": f"Bearer {bearer}",
        }
        return posted(target.uri, target.body, headers)[0]

    def _settle(self, kept: _Kept, taken: bool) -> None:
        retries = kept.job.retry_config
        with self._lock:
            if not taken and kept.tries < retries.retry_count:
                kept.due = self._clock.now() + retries.min_backoff_duration * 2**kept.tries
                kept.tries += 1
                return
            kept.slot = kept.due = next_slot(kept.job.schedule, kept.job.time_zone, self._clock.now())
            kept.tries = 0

    def _keep(self, job: Any) -> Any:
        if _NAME.fullmatch(job.name) is None:
            raise Refused("INVALID_ARGUMENT", "Job name must be formatted: projects/P/locations/L/jobs/J")
        try:
            check_rule(job.schedule, job.time_zone)
        except ValueError as error:
            raise Refused("INVALID_ARGUMENT", str(error)) from error
        deadline = job.attempt_deadline or timedelta(minutes=3)
        if not _DEADLINES[0] <= deadline.total_seconds() <= _DEADLINES[1]:
            raise Refused("INVALID_ARGUMENT", "The attempt deadline must be between [15s, 30m]")
        slot = next_slot(job.schedule, job.time_zone, self._clock.now())
        self._jobs[job.name] = _Kept(job, slot, slot)
        return job

    def _meet(self, method: str) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        if method in self.denied:
            raise Refused("PERMISSION_DENIED", f"The caller lacks the right for {method}")


@contextmanager
def running_cloud_scheduler(engine: CloudSchedulerEngine) -> Iterator[Callable[[], Any]]:
    """Serve an engine; yield what makes official clients that talk to it."""
    methods = {
        "CreateJob": (scheduler_v1.CreateJobRequest, engine.create_job),
        "UpdateJob": (scheduler_v1.UpdateJobRequest, engine.update_job),
        "DeleteJob": (scheduler_v1.DeleteJobRequest, engine.delete_job),
        "ListJobs": (scheduler_v1.ListJobsRequest, engine.list_jobs),
    }
    with serving("google.cloud.scheduler.v1.CloudScheduler", methods) as address, channel(address) as open_channel:
        transport = CloudSchedulerGrpcTransport(channel=open_channel)
        yield lambda: scheduler_v1.CloudSchedulerClient(transport=transport)
