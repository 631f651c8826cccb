"""What Cloud Scheduler is asked for beyond the port's contract: pages, foreign jobs, races, trouble."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared.adapters.cloud_scheduler import CloudScheduler
from shared.adapters.cloud_tasks import Target
from shared.core.clock import ManualClock
from shared.core.errors import Transient
from shared.ports.schedules import Schedule
from tests.google.calls import Refused
from tests.google.scheduler.engine import CloudSchedulerEngine, running_cloud_scheduler
from tests.google.tasks.engine import PARENT

TARGET = Target("https://worker.test", "https://worker.test", "invoker@test")


@dataclass(frozen=True)
class Google:
    """Schedules, the service behind them, and the official client."""

    schedules: CloudScheduler
    engine: CloudSchedulerEngine
    client: Any


@pytest.fixture
def google() -> Iterator[Google]:
    """Give an empty location."""
    engine = CloudSchedulerEngine(ManualClock(), lambda email, audience: f"{email} {audience}")
    with running_cloud_scheduler(engine) as client:
        yield Google(CloudScheduler(PARENT, TARGET, client), engine, client())


def test_all_pages_are_read(google: Google) -> None:
    names = [f"schedule-{number}" for number in range(5)]
    for name in reversed(names):
        google.schedules.put(Schedule(name, "0 * * * *"))

    assert [schedule.name for schedule in google.schedules.list()] == names


def test_jobs_that_are_not_ours_stay_out_of_sight(google: Google) -> None:
    foreign = {
        "name": f"{PARENT}/jobs/backup",
        "schedule": "0 1 * * *",
        "time_zone": "UTC",
        "http_target": {"uri": "https://elsewhere.test/run"},
    }
    google.client.create_job(parent=PARENT, job=foreign)
    google.schedules.put(Schedule("refresh", "0 * * * *"))

    assert [schedule.name for schedule in google.schedules.list()] == ["refresh"]


def test_two_that_create_the_same_schedule_end_with_one(google: Google) -> None:
    """Our update finds nothing, then the other side's create comes first: ours becomes an update."""
    google.schedules.put(Schedule("refresh", "30 * * * *"))
    google.engine.trouble = [Refused("NOT_FOUND", "not yet")]

    google.schedules.put(Schedule("refresh", "0 * * * *"))

    assert google.schedules.list() == [Schedule("refresh", "0 * * * *")]


def test_trouble_may_pass(google: Google) -> None:
    google.engine.trouble = [Refused("UNAVAILABLE", "later")]
    google.schedules.put(Schedule("refresh", "0 * * * *"))
    google.engine.trouble = [Refused("PERMISSION_DENIED", "no")]

    with pytest.raises(Transient):
        google.schedules.list()


def test_a_ping_that_is_denied_is_answered(google: Google) -> None:
    google.engine.denied = {"ListJobs"}

    google.schedules.ping()
