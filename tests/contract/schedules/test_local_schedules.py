"""What the local cron loop promises beyond the port: downtime, restarts, its thread."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.adapters.local_queue import CronLoop, SqliteSchedules
from shared.adapters.local_queue.dispatcher import Called
from shared.core.clock import ManualClock
from shared.core.errors import Transient
from shared.ports.schedules import Schedule

START = datetime(2026, 11, 1, 8, 0, 30, tzinfo=UTC)


def test_downtime_yields_one_catch_up_with_the_latest_slot(tmp_path: Path) -> None:
    clock, fired = ManualClock(START), []
    first = SqliteSchedules(tmp_path / "s.db", clock)
    first.put(Schedule("refresh", "*/15 * * * *"))
    first.put(Schedule("cleanup", "0 3 * * *"))
    first.close()
    clock.advance(3 * 86400)

    second = SqliteSchedules(tmp_path / "s.db", clock)
    second.put(Schedule("refresh", "*/15 * * * *", deadline_s=60))

    def fire(schedule: Schedule, slot: datetime) -> Called:
        fired.append((schedule.name, slot))
        return Called(202)

    loop = CronLoop(second, fire, clock)
    taken = [loop.tick(), loop.tick()]

    assert fired == [
        ("cleanup", datetime(2026, 11, 4, 3, 0, tzinfo=UTC)),
        ("refresh", datetime(2026, 11, 4, 8, 0, tzinfo=UTC)),
    ]
    assert taken == [fired, []]
    assert second.next_runs() == {
        "cleanup": datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
        "refresh": datetime(2026, 11, 4, 8, 15, tzinfo=UTC),
    }


def test_a_later_slot_takes_the_place_of_one_that_nobody_took() -> None:
    clock, fired, answers = ManualClock(START), [], [503] * 3
    schedules = SqliteSchedules(":memory:", clock)
    schedules.put(Schedule("refresh", "*/15 * * * *"))

    def fire(_: Schedule, slot: datetime) -> Called:
        fired.append(slot.minute)
        return Called(answers.pop() if answers else 200)

    loop = CronLoop(schedules, fire, clock)
    for _ in range(8):
        clock.advance(300)
        loop.tick()

    assert fired == [15, 15, 15, 30]


def test_two_threads_that_turn_at_once_fire_a_slot_once() -> None:
    clock, fired = ManualClock(START), []
    schedules = SqliteSchedules(":memory:", clock)
    schedules.put(Schedule("refresh", "* * * * *"))
    clock.advance(60)
    second: list[threading.Thread] = []
    turned = threading.Event()

    def turn() -> None:
        loop.tick()
        turned.set()

    def fire(_: Schedule, slot: datetime) -> Called:
        fired.append(slot.minute)
        if not second:
            second.append(threading.Thread(target=turn))
            second[0].start()
            assert not turned.wait(0.05)
        return Called(200)

    loop = CronLoop(schedules, fire, clock)
    loop.tick()
    second[0].join()

    assert fired == [1]


def test_the_thread_fires_does_its_chores_and_survives_trouble() -> None:
    clock = ManualClock(START)
    schedules = SqliteSchedules(":memory:", clock)
    schedules.put(Schedule("refresh", "* * * * *"))
    clock.advance(60)
    fired, turned = threading.Event(), threading.Event()
    troubles = iter([Transient("down", "Down."), ValueError("no")])

    def chore() -> None:
        for trouble in troubles:
            raise trouble
        turned.set()

    def fire(_: Schedule, __: datetime) -> Called:
        fired.set()
        return Called(200)

    loop = CronLoop(schedules, fire, clock, [chore])
    loop.start()
    seen = (fired.wait(10), turned.wait(10))
    loop.stop()

    assert seen == (True, True)


def test_closed_schedules_are_in_trouble() -> None:
    schedules = SqliteSchedules(":memory:", ManualClock(START))
    schedules.close()

    for call in (schedules.ping, schedules.list, lambda: schedules.put(Schedule("a", "* * * * *"))):
        with pytest.raises(Transient):
            call()
