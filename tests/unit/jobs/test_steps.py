"""What a step may do: effects with the end, items, progress, input, conflicts."""

from typing import Any

from shared.core.clock import instant
from shared.core.errors import Terminal
from shared.jobs.kinds import Done, Step
from shared.jobs.states import JobStatus
from shared.ports.documents import Key, Put
from tests.unit.jobs.world import World, a_kind, applied, items_of


def test_the_end_is_one_commit_with_its_last_effects_and_what_the_kind_adds() -> None:
    def finishing(step: Step) -> Done:
        return Done({"ok": True}, writes=[Put(Key("effects", "last"), {"job_id": step.job_id})])

    kind = a_kind(finishing, on_end=lambda job: [Put(Key("ends", job.id), {"status": str(job.status)})])
    world = World(kind)
    job = world.start().job
    world.documents.counts.reset()

    world.run()

    ended = world.store.get(Key("ends", job.id))
    assert ended is not None
    assert ended.data == {"status": "succeeded"}
    assert applied(world.documents, job.id) == 1
    assert world.documents.counts.writes == 4  # the lease; job, effect and end in one commit


def test_a_step_reports_items_and_they_are_counted_once() -> None:
    def bulk(step: Step) -> Done:
        for row in range(6):
            bad = row == 4
            step.item(
                f"row-{row}", "failed" if bad else "succeeded", "bad_price" if bad else None, "No." if bad else None
            )
            if row % 4 == 3:
                step.checkpoint(cursor=row + 1)
        return Done({"rows": 6})

    world = World(a_kind(bulk))
    job = world.start().job
    world.run()

    after = world.jobs.get(job.id)
    items = items_of(world, job.id)
    assert (after.status, after.items_processed, after.items_succeeded, after.items_failed) == ("succeeded", 6, 5, 1)
    assert [item.key for item in items] == [f"row-{row}" for row in range(6)]
    assert [(item.key, item.code) for item in items_of(world, job.id, "failed")] == [("row-4", "bad_price")]


def test_progress_never_goes_back_and_is_100_only_in_the_end() -> None:
    shown = []

    def wavering(step: Step) -> Done:
        for processed, total in ((5, 10), (6, 20), (20, 20)):
            step.checkpoint(progress=(processed, total, None))
            shown.append(world.jobs.get(job.id).progress_percent)
        raise Terminal("no", "No.")

    world = World(a_kind(wavering))
    job = world.start().job
    world.run()

    assert shown == [50, 50, 99]
    assert world.jobs.get(job.id).progress_percent == 99


def test_a_step_sees_its_input_and_its_time() -> None:
    seen: dict[str, Any] = {}

    def looking(step: Step) -> Done:
        world.clock.advance(10)
        seen.update(
            input=step.input, subject=step.subject, left=step.time_left(), now=instant(step.now), job=step.job_id
        )
        return Done()

    world = World(a_kind(looking))
    job = world.start("shipbob", deep={"a": [1]}).job
    world.run()

    assert seen["input"] == {"deep": {"a": [1]}}
    assert (seen["subject"], seen["left"], seen["job"]) == ("shipbob", 470.0, job.id)
    assert seen["now"] == "2026-11-01T08:00:10.000000Z"


def test_a_conflict_of_the_effects_is_tried_again() -> None:
    def conflicting(step: Step) -> Done:
        step.checkpoint(writes=[Put(Key("effects", "other"), {}, if_version="999")] if step.attempts == 1 else [])
        return Done()

    world = World(a_kind(conflicting))
    job = world.start().job

    world.run(minutes=5)

    assert [answer.status for answer in world.answers] == [503, 200]
    assert world.jobs.get(job.id).status is JobStatus.SUCCEEDED
