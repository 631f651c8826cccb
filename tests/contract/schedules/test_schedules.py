"""What every scheduler promises (shared/ports/schedules.py)."""

import pytest

from shared.ports.schedules import Schedule
from tests.contract.schedules.conftest import Scheduler

QUARTERS = Schedule("refresh", "*/15 * * * *")


def test_schedules_are_put_replaced_listed_by_name_and_deleted(scheduler: Scheduler) -> None:
    schedules = scheduler.schedules
    for each in (QUARTERS, Schedule("cleanup", "0 3 * * *", "Europe/Berlin", 120)):
        schedules.put(each)
    schedules.put(Schedule("refresh", "0 * * * *"))

    listed = schedules.list()
    schedules.delete("refresh")
    schedules.delete("unknown")

    assert listed == [Schedule("cleanup", "0 3 * * *", "Europe/Berlin", 120), Schedule("refresh", "0 * * * *")]
    assert schedules.list() == listed[:1]


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("* * * *", "UTC"),
        ("0 * * * * *", "UTC"),
        ("60 * * * *", "UTC"),
        ("a * * * *", "UTC"),
        ("", "UTC"),
        ("0 0 31 2 *", "UTC"),
        ("0 0 * * *", "Mars/Olympus"),
        ("0 0 * * *", ""),
        ("0 0 * * *", "../etc/passwd"),
    ],
)
def test_bad_rules_and_zones_are_refused_and_change_nothing(scheduler: Scheduler, cron: str, zone: str) -> None:
    scheduler.schedules.put(QUARTERS)

    with pytest.raises(ValueError):
        scheduler.schedules.put(Schedule("refresh", cron, zone))

    assert scheduler.schedules.list() == [QUARTERS]


def test_each_slot_is_one_call_that_names_it(scheduler: Scheduler) -> None:
    scheduler.schedules.put(QUARTERS)

    scheduler.until(8, 46)

    assert scheduler.slots() == [("refresh", f"2026-11-01T08:{minute}:00.000000Z") for minute in (15, 30, 45)]
    assert {call.path for call in scheduler.worker.calls} == {"/internal/schedules/refresh"}
    assert scheduler.worker.calls[0].headers["authorization"] == "Bearer token-1"


def test_nothing_fires_before_its_first_slot_nor_after_its_end(scheduler: Scheduler) -> None:
    scheduler.schedules.put(QUARTERS)
    scheduler.until(8, 14)
    before = len(scheduler.worker.calls)
    scheduler.until(8, 16)
    scheduler.schedules.delete("refresh")

    scheduler.until(9, 0)

    assert (before, len(scheduler.worker.calls)) == (0, 1)


def test_a_slot_that_was_not_taken_is_tried_again(scheduler: Scheduler) -> None:
    scheduler.schedules.put(QUARTERS)
    scheduler.worker.script = [(503, {}), (500, {})]

    scheduler.until(8, 20, every_s=30)

    assert scheduler.slots() == [("refresh", "2026-11-01T08:15:00.000000Z")] * 3


def test_a_replaced_rule_counts_from_its_replacement(scheduler: Scheduler) -> None:
    scheduler.schedules.put(Schedule("refresh", "5 * * * *"))
    scheduler.until(8, 4)
    scheduler.schedules.put(Schedule("refresh", "2 * * * *"))

    scheduler.until(9, 3)

    assert scheduler.slots() == [("refresh", "2026-11-01T09:02:00.000000Z")]


def test_a_rule_speaks_of_the_time_of_its_zone(scheduler: Scheduler) -> None:
    scheduler.schedules.put(Schedule("cleanup", "30 14 * * *", "Asia/Kathmandu"))

    scheduler.until(9, 0)

    assert scheduler.slots() == [("cleanup", "2026-11-01T08:45:00.000000Z")]


def test_a_scheduler_answers_a_ping(scheduler: Scheduler) -> None:
    scheduler.schedules.ping()
