"""Starting, watching, cancelling, repeating, listing and forgetting jobs."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.core.conditions import Precondition, version_part
from shared.core.errors import InvalidState, NotFound, PreconditionFailed, Terminal, Transient
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.models import ItemQuery
from shared.jobs.outbox import OUTBOX
from shared.jobs.record import JOBS, LOCKS
from shared.jobs.states import JobStatus
from shared.ports.documents import Create, Key, Query
from tests.unit.jobs.world import OPERATOR, World, a_kind, applied, body_of, count_up


def test_an_equal_live_job_is_joined() -> None:
    world = World(a_kind(count_up))
    first = world.start("stord", units=1)

    second = world.start("stord", units=1)
    other = world.start("shipbob", units=1)
    world.run()
    later = world.start("stord", units=1)

    assert (first.joined, second.joined, other.joined, later.joined) == (False, True, False, False)
    assert second.job == first.job
    assert len({first.job.id, other.job.id, later.job.id}) == 3


def test_without_single_flight_every_start_is_a_job() -> None:
    world = World(a_kind(count_up))

    started = [world.jobs.start("count", "x", {"units": 1}, OPERATOR, single_flight=False) for _ in range(3)]

    assert len({each.job.id for each in started}) == 3
    assert world.store.count(Query(LOCKS)) == 0


def test_a_start_inside_a_larger_piece_of_work_is_part_of_its_commit() -> None:
    world = World(a_kind(count_up))

    def work() -> list[bool]:
        world.store.write([Create(Key("effects", "mine"), {"job_id": "none"})])
        joined = [world.start("stord", units=1).joined, world.start("stord", units=1).joined]
        assert world.store.count(Query(JOBS)) == 0
        assert world.queue.state().queued == 0
        return joined

    assert world.store.atomically(work) == [False, True]
    assert world.store.count(Query(JOBS)) == 1
    assert world.queue.state().queued == 1
    assert world.store.count(Query(OUTBOX)) == 0


def test_work_that_fails_leaves_no_job_and_no_task() -> None:
    world = World(a_kind(count_up))

    def work() -> None:
        world.start("stord", units=1)
        raise Terminal("no", "No.")

    with pytest.raises(Terminal):
        world.store.atomically(work)

    assert [world.store.count(Query(collection)) for collection in (JOBS, LOCKS, OUTBOX)] == [0, 0, 0]
    assert world.queue.state().queued == 0


def test_the_kind_writes_its_own_document_with_the_start() -> None:
    world = World(a_kind(count_up, on_start=lambda job: [Create(Key("effects", job.id), {"status": job.status})]))

    job = world.start(units=0).job

    noted = world.store.get(Key("effects", job.id))
    assert noted is not None
    assert noted.data == {"status": "queued"}


def test_the_view_shows_no_secret() -> None:
    world = World(a_kind(count_up))

    job = world.start(units=1, api_token="t", deep=[{"Password": "p", "kept": 1}]).job

    assert job.input == {"units": 1, "deep": [{"kept": 1}]}
    assert (job.name, job.job_type, job.created_by, job.subject) == ("Count: one", "count", "usr_1", "one")


def test_a_trace_travels_with_the_task() -> None:
    world = World(a_kind(count_up))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    world.jobs.start("count", None, {"units": 1}, OPERATOR, request_trace=trace)

    claimed = world.queue.claim()
    assert claimed is not None
    assert claimed.task.headers == {"traceparent": trace}


def test_cancelling_a_queued_job_ends_it_at_once() -> None:
    world = World(a_kind(count_up, on_end=lambda job: [Create(Key("ends", job.id), {"status": job.status})]))
    job = world.start(units=2).job

    after = world.jobs.cancel(job.id)
    world.run()

    assert (after.status, after.cancel_requested, after.started_at, after.error) == ("cancelled", True, None, None)
    ended = world.store.get(Key("ends", job.id))
    assert ended is not None
    assert ended.data == {"status": "cancelled"}
    assert [answer.body for answer in world.answers] == [{"job_id": job.id, "status": "cancelled"}]
    assert applied(world.documents, job.id) == 0
    assert world.start(units=2).joined is False


def test_cancelling_a_running_job_stops_it_at_its_next_checkpoint() -> None:
    def cancelled_after(step: Step) -> Done:
        if (step.cursor or 0) == 0:
            step.checkpoint(cursor=1, writes=[_effect(step, 1)])
            assert world.jobs.cancel(step.job_id).status == "running"
            assert world.jobs.cancel(step.job_id).version == world.jobs.get(step.job_id).version
        step.checkpoint(cursor=2, writes=[_effect(step, 2)])
        return Done()

    world = World(a_kind(cancelled_after))
    job = world.start().job
    world.run()

    after = world.jobs.get(job.id)
    assert (after.status, after.cancel_requested, after.dead_letter) == ("cancelled", True, False)
    assert applied(world.documents, job.id) == 1
    assert world.store.count(Query(LOCKS)) == 0


def test_a_job_past_its_last_checkpoint_succeeds_although_cancelled() -> None:
    def late(step: Step) -> Done:
        step.checkpoint(writes=[_effect(step, 1)])
        world.jobs.cancel(step.job_id)
        return Done()

    world = World(a_kind(late))
    job = world.start().job
    world.run()

    assert world.jobs.get(job.id).status == "succeeded"


@pytest.mark.parametrize("outcome", ["continue", "transient"])
def test_a_cancelled_job_is_not_taken_up_again(outcome: str) -> None:
    def asked(step: Step) -> Continue:
        step.checkpoint(cursor=1)
        world.jobs.cancel(step.job_id)
        if outcome == "transient":
            raise Transient("down", "Down.")
        return Continue()

    world = World(a_kind(asked))
    job = world.start().job
    world.run(minutes=10)

    assert (world.jobs.get(job.id).status, len(world.answers)) == ("cancelled", 1)


def test_a_job_whose_worker_died_is_cancelled_at_once_when_its_lease_is_over() -> None:
    world = World(a_kind(_crash))
    job = world.start().job
    with pytest.raises(KeyboardInterrupt):
        world.runner.deliver("count", body_of(world, job))

    during = world.jobs.cancel(job.id)
    world.clock.advance(61)
    after = world.jobs.cancel(job.id)

    assert (during.status, after.status) == ("running", "cancelled")


def test_a_delivery_finds_out_that_the_job_was_cancelled_while_its_worker_was_dead() -> None:
    world = World(a_kind(_crash))
    job = world.start().job
    with pytest.raises(KeyboardInterrupt):
        world.runner.deliver("count", body_of(world, job))
    world.jobs.cancel(job.id)
    world.clock.advance(61)

    answer = world.runner.deliver("count", body_of(world, job))

    assert (answer.status, answer.body["status"]) == (200, "cancelled")


def test_what_has_ended_cannot_be_cancelled_nor_what_succeeded_retried() -> None:
    world = World(a_kind(count_up))
    job = world.start(units=1).job
    world.run()
    before = world.store.get(Key(JOBS, job.id))

    for refused in (world.jobs.cancel, lambda job_id: world.jobs.retry(job_id, OPERATOR)):
        with pytest.raises(InvalidState) as caught:
            refused(job.id)
        assert caught.value.extra["current"] == "succeeded"

    assert world.store.get(Key(JOBS, job.id)) == before


def test_a_change_may_be_conditional_on_the_version_seen() -> None:
    world = World(a_kind(count_up))
    job = world.start(units=1).job
    stale = Precondition(parts={version_part(job.id, job.version + 1)})

    with pytest.raises(PreconditionFailed):
        world.jobs.cancel(job.id, stale)
    with pytest.raises(PreconditionFailed):
        world.jobs.retry(job.id, OPERATOR, condition=stale)

    assert world.jobs.get(job.id) == job
    assert world.jobs.cancel(job.id, Precondition(parts={version_part(job.id, 1)})).status == "cancelled"


def test_an_unknown_job_is_not_found() -> None:
    world = World(a_kind(count_up))
    questions: list[Callable[[str], Any]] = [
        world.jobs.get,
        world.jobs.cancel,
        lambda job_id: world.jobs.wanted_items(job_id, ItemQuery()),
        lambda job_id: world.jobs.retry(job_id, OPERATOR),
        lambda job_id: world.jobs.wait(job_id, 1),
    ]

    for ask in questions:
        with pytest.raises(NotFound) as caught:
            ask("job_none")
        assert caught.value.extra == {"resource": "job"}


@pytest.mark.parametrize(("resumes", "total"), [(True, 5), (False, 5 + 3)])
def test_a_retry_is_a_new_job_that_goes_on_where_the_kind_allows(resumes: bool, total: int) -> None:
    world = World(a_kind(_fails_once_at(3), resumes=resumes))
    job = world.start(units=5).job
    world.run()
    failed = world.jobs.get(job.id)

    retried = world.jobs.retry(job.id, OPERATOR)
    again = world.jobs.retry(job.id, OPERATOR)
    world.run()

    new = world.jobs.get(retried.job.id)
    assert (failed.status, retried.joined, again.joined) == ("failed", False, True)
    assert again.job.id == retried.job.id != job.id
    assert (new.status, new.retry_of, world.jobs.get(job.id).retried_by) == ("succeeded", job.id, new.id)
    assert applied(world.documents, job.id) + applied(world.documents, new.id) == total
    assert world.jobs.retry(job.id, OPERATOR).job.id == new.id


def test_a_retry_joins_an_equal_job_that_runs_already() -> None:
    world = World(a_kind(_fails_once_at(0)))
    job = world.start(units=1).job
    world.run()
    live = world.start(units=1).job

    retried = world.jobs.retry(job.id, OPERATOR)

    assert (retried.job.id, retried.joined) == (live.id, True)
    assert world.jobs.get(job.id).retried_by is None


def test_waiting_returns_at_once_for_an_ended_job_and_after_the_time_for_a_quiet_one() -> None:
    world = World(a_kind(count_up))
    job = world.start(units=1).job

    quiet = world.jobs.wait(job.id, 25)
    waited = sum(world.clock.slept)
    world.run()
    ended = world.jobs.wait(job.id, 25)

    assert (quiet.status, waited, ended.status, sum(world.clock.slept)) == ("queued", 25.0, "succeeded", 25.0)


def test_waiting_returns_when_the_job_changes() -> None:
    world = World(a_kind(count_up))
    job = world.start(units=1).job
    slept = world.clock.sleep

    def cancel_meanwhile(seconds: float) -> None:
        slept(seconds)
        if len(world.clock.slept) == 3:
            world.jobs.cancel(job.id)

    world.clock.sleep = cancel_meanwhile  # type: ignore[method-assign]

    assert world.jobs.wait(job.id, 25).status == "cancelled"
    assert len(world.clock.slept) == 3


def test_a_task_the_queue_did_not_take_is_sent_by_the_sweep() -> None:
    world = World(a_kind(count_up))
    world.queue.close()
    job = world.start(units=1).job
    kept = world.store.count(Query(OUTBOX))
    fresh = World(a_kind(count_up), documents=world.documents)

    soon = fresh.jobs.sweep()
    fresh.clock.advance(11)
    swept = fresh.jobs.sweep()
    fresh.run()

    assert (kept, soon, swept, fresh.store.count(Query(OUTBOX))) == (1, 0, 1, 0)
    assert fresh.jobs.get(job.id).status == "succeeded"


def test_a_job_whose_task_was_lost_is_woken() -> None:
    world = World(a_kind(count_up))
    job = world.start(units=1).job
    lost = world.queue.claim()
    assert lost is not None
    world.queue.done(lost)

    world.clock.advance(899)
    early = world.jobs.sweep()
    world.clock.advance(2)
    woken = [world.jobs.sweep(), world.jobs.sweep()]
    world.run()

    assert (early, woken) == (0, [1, 0])
    assert world.jobs.get(job.id).status is JobStatus.SUCCEEDED


def _effect(step: Step, number: int) -> Create:
    return Create(Key("effects", f"{step.job_id}-{number}"), {"job_id": step.job_id})


def _crash(_: Step) -> Done:
    raise KeyboardInterrupt


def _fails_once_at(unit: int) -> Callable[[Step], Done]:
    """Make a handler whose first job fails after so many units."""
    failed: list[str] = []

    def handler(step: Step) -> Done:
        if not failed:
            for number in range(unit):
                step.checkpoint(cursor=number + 1, writes=[_effect(step, number)])
            failed.append(step.job_id)
            raise Terminal("no", "No.")
        return count_up(step)

    return handler
