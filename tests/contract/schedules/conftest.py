"""Every scheduler the product can run on. A further one adds its name to `SCHEDULERS` and a branch to `scheduler`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.adapters.cloud_scheduler import CloudScheduler
from shared.adapters.cloud_tasks import Target
from shared.adapters.local_queue import CronLoop, HttpCalls, SqliteSchedules
from shared.core.clock import ManualClock, instant, parse_instant
from shared.ports.schedules import Schedules
from tests.contract.worker import Worker, running_worker
from tests.google.scheduler.engine import CloudSchedulerEngine, running_cloud_scheduler
from tests.google.tasks.engine import PARENT

SCHEDULERS = ("local-memory", "local-file", "cloud-scheduler")


@dataclass(frozen=True)
class Scheduler:
    """A scheduler under test: the port, its time, the worker it calls, and a way to fire what is due now."""

    schedules: Schedules
    clock: ManualClock
    worker: Worker
    fire_due: Callable[[], object]

    def slots(self) -> list[tuple[str, str]]:
        """Return the schedule and slot of each call so far."""
        calls = [
            (call.path.rpartition("/")[2], call.headers["x-cloudscheduler-scheduletime"]) for call in self.worker.calls
        ]
        return [(name, instant(parse_instant(slot))) for name, slot in calls]

    def until(self, hour: int, minute: int, *, every_s: int = 60) -> None:
        """Let time pass up to a time of the same day, firing as it goes."""
        end = self.clock.now().replace(hour=hour, minute=minute)
        while self.clock.now() < end:
            self.clock.advance(every_s)
            self.fire_due()


@pytest.fixture(params=SCHEDULERS)
def scheduler(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scheduler]:
    """Give each scheduler in turn, empty, on a morning at eight."""
    clock = ManualClock(datetime(2026, 11, 1, 8, 0, 30, tzinfo=UTC))
    if request.param == "cloud-scheduler":
        engine = CloudSchedulerEngine(clock, lambda _, __: "token-1")
        with running_worker() as worker, running_cloud_scheduler(engine) as client:
            target = Target(worker.url, worker.url, "invoker@test")
            yield Scheduler(CloudScheduler(PARENT, target, client), clock, worker, engine.fire_due)
        return
    path = ":memory:" if request.param == "local-memory" else tmp_path / "schedules.db"
    schedules = SqliteSchedules(path, clock)
    with running_worker() as worker:
        loop = CronLoop(schedules, HttpCalls(worker.url, lambda: "token-1").slot, clock)
        yield Scheduler(schedules, clock, worker, loop.tick)
    schedules.close()
