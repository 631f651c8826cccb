"""Every scheduler the product can run on. A further one adds its name to `SCHEDULERS` and a branch to `scheduler`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.adapters.local_queue import CronLoop, HttpCalls, SqliteSchedules
from shared.core.clock import ManualClock
from shared.ports.schedules import Schedules
from tests.contract.worker import Worker, running_worker

SCHEDULERS = ("local-memory", "local-file")


@dataclass(frozen=True)
class Scheduler:
    """A scheduler under test: the port, its time, the worker it calls, and a way to fire what is due now."""

    schedules: Schedules
    clock: ManualClock
    worker: Worker
    fire_due: Callable[[], object]

    def slots(self) -> list[tuple[str, str]]:
        """Return the schedule and slot of each call so far."""
        calls = self.worker.calls
        return [(call.path.rpartition("/")[2], call.headers["x-cloudscheduler-scheduletime"]) for call in calls]

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
    path = ":memory:" if request.param == "local-memory" else tmp_path / "schedules.db"
    schedules = SqliteSchedules(path, clock)
    with running_worker() as worker:
        loop = CronLoop(schedules, HttpCalls(worker.url, lambda: "token-1").slot, clock)
        yield Scheduler(schedules, clock, worker, loop.tick)
    schedules.close()
