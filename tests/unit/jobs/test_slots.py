"""Schedule calls: one effect per slot."""

import threading

import pytest

from shared.core.errors import Transient
from shared.jobs.slots import SLOTS, Duty, ScheduleRunner
from shared.ports.documents import Create, Key, Query
from shared.ports.tasks import Task
from tests.unit.jobs.world import World, a_kind, count_up

SLOT = "2026-11-01T08:15:00Z"


def test_a_slot_delivered_twice_starts_nothing_new() -> None:
    world, runner = _world_and_runner()

    first = runner.fire("refresh", SLOT)
    world.run()
    again = runner.fire("refresh", "2026-11-01T09:15:00+01:00")
    next_one = runner.fire("refresh", "2026-11-01T08:30:00Z")

    assert first is not None
    assert next_one is not None
    assert (len(first), again, len(next_one), first == next_one) == (1, first, 1, False)
    assert world.store.count(Query("jobs")) == 2


def test_without_a_time_the_slot_is_the_present_minute() -> None:
    world, runner = _world_and_runner()

    calls = [runner.fire("refresh", slot) for slot in (None, "nonsense", "2026-11-01T08:00:00Z")]

    assert calls[0] == calls[1] == calls[2]
    assert world.store.count(Query("jobs")) == 1


def test_an_unknown_schedule_is_dropped() -> None:
    assert _world_and_runner()[1].fire("nothing", SLOT) is None


def test_two_deliveries_at_once_have_one_effect() -> None:
    world, runner = _world_and_runner()
    barrier, answers = threading.Barrier(8), []

    def deliver() -> None:
        barrier.wait()
        answers.append(runner.fire("refresh", SLOT))

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 8
    assert all(answer == answers[0] for answer in answers)
    assert world.store.count(Query("jobs")) == 1


def test_a_duty_that_fails_leaves_its_slot_open() -> None:
    world, runner = _world_and_runner()

    with pytest.raises(Transient):
        runner.fire("failing", SLOT)

    assert [world.store.count(Query(collection)) for collection in (SLOTS, "jobs", "effects")] == [0, 0, 0]


def test_a_duty_of_many_commits_runs_first_and_is_marked_afterwards() -> None:
    world, runner = _world_and_runner()

    answers = [runner.fire("cleanup", SLOT), runner.fire("cleanup", SLOT)]

    assert answers == [[], []]
    assert world.store.count(Query("effects")) == 1


def test_every_call_sends_what_a_crash_left_in_the_outbox() -> None:
    world, runner = _world_and_runner()
    enqueue = world.queue.enqueue
    world.queue.enqueue = _trouble  # type: ignore[method-assign]
    job = world.start(units=1).job
    world.queue.enqueue = enqueue  # type: ignore[method-assign]
    world.clock.advance(11)

    runner.fire("cleanup", SLOT)
    world.run()

    assert world.jobs.get(job.id).status == "succeeded"


def _world_and_runner() -> tuple[World, ScheduleRunner]:
    world = World(a_kind(count_up))

    def refresh() -> list[str]:
        return [world.start(units=1).job.id]

    def failing() -> list[str]:
        world.store.write([Create(Key("effects", "x"), {})])
        refresh()
        raise Transient("down", "Down.")

    def cleanup() -> list[str]:
        world.documents.commit([Create(Key("effects", world.ids.new("run")), {})])
        return []

    duties = {"refresh": Duty(refresh), "failing": Duty(failing), "cleanup": Duty(cleanup, atomic=False)}
    return world, ScheduleRunner(world.store, world.jobs, world.clock, duties)


def _trouble(task: Task) -> None:
    raise Transient("queue", "The queue is down.")
