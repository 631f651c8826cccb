"""Finding, counting and forgetting jobs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.core.errors import Terminal
from shared.jobs.cleanup import clean_jobs
from shared.jobs.kinds import Done, Step
from shared.jobs.models import Job, JobQuery
from shared.jobs.record import ITEMS
from shared.ports.documents import Query
from tests.unit.jobs.world import World, a_kind, count_up, items_of


def test_jobs_are_found_by_what_is_asked() -> None:
    world = World(a_kind(count_up), a_kind(count_up, name="other"))
    for number in range(5):
        world.start(f"s{number}", "other" if number == 3 else "count", units=0)
        world.clock.advance(60)
    world.jobs.cancel(_find(world, subject=["s1"])[0].id)
    since = world.clock.now() - timedelta(seconds=120)

    assert _subjects(world) == ["s4", "s3", "s2", "s1", "s0"]
    assert _subjects(world, job_type=["other"]) == ["s3"]
    assert _subjects(world, status=["cancelled"], job_type=["count"]) == ["s1"]
    assert _subjects(world, status=["cancelled", "queued"], subject=["s1", "s2"]) == ["s2", "s1"]
    assert _subjects(world, status=["pending", "completed"]) == ["s4", "s3", "s2", "s0"]
    assert len(_subjects(world, status=["queued", "running", "succeeded", "failed", "cancelled", "pending"])) == 5
    assert _subjects(world, created_from=since) == ["s4", "s3"]
    assert _subjects(world, created_to=since) == ["s3", "s2", "s1", "s0"]


def test_items_are_found_in_order_of_work() -> None:
    def bulk(step: Step) -> Done:
        for row in range(5):
            step.item(f"r{row}", "skipped" if row % 2 else "succeeded")
        return Done()

    world = World(a_kind(bulk))
    job = world.start().job
    world.run()

    assert [item.key for item in items_of(world, job.id)] == ["r0", "r1", "r2", "r3", "r4"]
    assert [item.key for item in items_of(world, job.id, "skipped")] == ["r1", "r3"]


def test_the_summary_counts_by_state_and_type() -> None:
    world = World(a_kind(count_up), a_kind(_failing, name="other"))
    world.start("a", units=1)
    world.start("b", "other", units=1)
    world.run()
    world.clock.advance(3600)
    queued = world.start("c", units=1).job

    everything, recent = world.jobs.stats(), world.jobs.stats(world.clock.now() - timedelta(minutes=1))

    assert (everything.total, everything.queued, everything.succeeded, everything.failed) == (3, 1, 1, 1)
    assert everything.by_type == {"count": {"queued": 1, "succeeded": 1}, "other": {"failed": 1}}
    assert everything.oldest_queued_at == queued.created_at
    assert (recent.total, recent.by_type) == (1, {"count": {"queued": 1}})
    assert World(a_kind(count_up)).jobs.stats().model_dump() == dict.fromkeys(
        ("total", "queued", "running", "succeeded", "failed", "cancelled"), 0
    ) | {"by_type": {}, "oldest_queued_at": None}


def test_ended_jobs_go_after_a_week_and_failed_ones_after_thirty_days() -> None:
    world = World(a_kind(_with_items), a_kind(_failing, name="other"))
    world.start("a", units=1)
    world.start("b", "other", units=1)
    world.run()
    waiting = world.start("live", units=1).job
    counted = []
    for days in (6.9, 0.2, 22.8, 0.2):
        world.clock.advance(days * 86400)
        counted.append((clean_jobs(world.documents, world.clock), world.store.count(Query(ITEMS))))

    assert counted == [(0, 2), (1, 0), (0, 0), (1, 0)]
    assert [job.id for job in _find(world)] == [waiting.id]


def _find(world: World, **asked: Any) -> list[Job]:
    query = world.jobs.wanted(JobQuery.model_validate(asked))
    return [
        world.jobs.read(stored) for stored in world.store.query(replace(query, order_by="created_at", descending=True))
    ]


def _subjects(world: World, **asked: Any) -> list[str | None]:
    return [job.subject for job in _find(world, **asked)]


def _with_items(step: Step) -> Done:
    step.item("a", "succeeded")
    step.item("b", "succeeded")
    return Done()


def _failing(_: Step) -> Done:
    raise Terminal("no", "No.")
