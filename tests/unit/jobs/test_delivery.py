"""One delivery and what the queue is told: api.md, section 4."""

from typing import Any

import pytest

from shared.core.errors import Terminal, Transient, UpstreamFailed, UrlNotAllowed, ValidationFailed
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.record import LOCKS
from shared.ports.documents import Key, Put, Query
from tests.unit.jobs.world import World, a_kind, applied, body_of, count_up


def test_a_job_runs_to_its_end() -> None:
    world = World(a_kind(count_up))
    job = world.start(units=3).job

    world.run()

    after = world.jobs.get(job.id)
    assert (job.status, job.progress_percent, job.attempts) == ("queued", 0, 0)
    assert (after.status, after.progress_percent, after.attempts) == ("succeeded", 100, 1)
    assert (after.result, after.items_processed, after.items_total) == ({"units": 3}, 3, 3)
    assert (after.duration_ms, after.finished_at) == (0, world.clock.now())
    assert [answer.body for answer in world.answers] == [{"job_id": job.id, "status": "succeeded"}]
    assert applied(world.documents, job.id) == 3
    assert world.store.count(Query(LOCKS)) == 0


def test_the_job_can_be_read_before_its_task_is_sent() -> None:
    seen: list[str] = []

    class Watching(World):
        def call(self, claimed: Any) -> Any:
            seen.append(self.jobs.get(claimed.task.payload["job_id"]).status)
            return super().call(claimed)

    world = Watching(a_kind(count_up))
    world.start(units=1)

    world.run()

    assert seen == ["queued"]


def test_a_transient_error_puts_the_job_back_and_asks_for_patience() -> None:
    world = World(a_kind(_failing(Transient("upstream", "The source is down."))))
    job = world.start().job

    answer = world.runner.deliver("count", body_of(world, job))

    after = world.jobs.get(job.id)
    assert (after.status, after.attempts, after.error) == ("queued", 1, None)
    assert answer.status == 503
    assert 30 <= int(answer.headers["Retry-After"]) <= 37


def test_waits_double_up_to_five_attempts_then_the_job_is_a_dead_letter() -> None:
    world = World(a_kind(_failing(Transient("upstream", "The source is down."))))
    job = world.start().job

    world.run(minutes=60)

    waits = [int(answer.headers["Retry-After"]) for answer in world.answers[:-1]]
    after = world.jobs.get(job.id)
    assert [low <= wait <= 1.2 * low + 1 for wait, low in zip(waits, (30, 60, 120, 240), strict=True)] == [True] * 4
    assert (after.status, after.attempts, after.max_attempts, after.dead_letter) == ("failed", 5, 5, True)
    assert after.error is not None
    assert (after.error.code, after.error.detail) == ("upstream", "The source is down.")
    assert world.answers[-1].status == 200
    assert world.answers[-1].body == {"job_id": job.id, "status": "failed"}


def test_a_rate_limit_answers_429_and_waits_longer_and_at_least_what_the_vendor_says() -> None:
    world = World(a_kind(_failing(Transient("rate", "Slow down.", wait_s=100, rate_limited=True))))
    job = world.start().job

    first = world.runner.deliver("count", body_of(world, job))
    world.clock.advance(int(first.headers["Retry-After"]))
    second = world.runner.deliver("count", body_of(world, job))

    assert (first.status, second.status) == (429, 429)
    assert 100 <= int(first.headers["Retry-After"]) <= 121
    assert 120 <= int(second.headers["Retry-After"]) <= 145


@pytest.mark.parametrize(
    ("error", "code", "status", "answered"),
    [
        (Terminal("bad_rows", "No."), "bad_rows", "failed", 200),
        (UrlNotAllowed("No."), "url_not_allowed", "failed", 200),
        (ValidationFailed.at("/x", "no", "No."), "validation_failed", "failed", 200),
        (UpstreamFailed("No."), None, "queued", 503),
        (ZeroDivisionError("secret-text"), None, "queued", 503),
    ],
)
def test_errors_are_final_or_passing(error: Exception, code: str | None, status: str, answered: int) -> None:
    world = World(a_kind(_failing(error)))
    job = world.start().job

    answer = world.runner.deliver("count", body_of(world, job))

    after = world.jobs.get(job.id)
    assert (after.status, answer.status, after.dead_letter) == (status, answered, False)
    assert (after.error.code if after.error else None) == code


def test_a_fault_of_ours_says_nothing_of_itself_to_clients() -> None:
    world = World(a_kind(_failing(ZeroDivisionError("secret-text"))))
    job = world.start().job

    world.run(minutes=60)

    after = world.jobs.get(job.id)
    assert (after.status, after.dead_letter) == ("failed", True)
    assert after.error is not None
    assert after.error.code == "internal_error"
    assert "secret-text" not in after.model_dump_json()


def test_a_held_lease_makes_other_deliveries_come_back() -> None:
    answers = []

    def busy(step: Step) -> Done:
        answers.append(world.runner.deliver("count", body_of(world, job)))
        return Done()

    world = World(a_kind(busy))
    job = world.start().job
    world.run()

    assert [(answer.status, answer.headers) for answer in answers] == [(503, {"Retry-After": "60"})]
    assert world.jobs.get(job.id).attempts == 1


def test_a_delivery_before_its_time_is_sent_away_without_counting() -> None:
    world = World(a_kind(_failing(Transient("upstream", "Down."))))
    job = world.start().job
    world.runner.deliver("count", body_of(world, job))

    early = world.runner.deliver("count", body_of(world, job))

    assert early.status == 503
    assert world.jobs.get(job.id).attempts == 1


def test_a_crash_counts_as_an_attempt_and_five_crashes_are_the_end() -> None:
    class Crash(BaseException):
        pass

    world = World(a_kind(_failing(Crash())))
    job = world.start().job
    for _ in range(5):
        with pytest.raises(Crash):
            world.runner.deliver("count", body_of(world, job))
        world.clock.advance(61)

    answer = world.runner.deliver("count", body_of(world, job))

    after = world.jobs.get(job.id)
    assert (answer.status, answer.body["status"]) == (200, "failed")
    assert after.error is not None
    assert (after.attempts, after.dead_letter, after.error.code) == (5, True, "attempts_exhausted")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"job_id": "job_x"},
        {"job_id": "job_x", "step": -1},
        {"job_id": "job_x", "step": "0"},
        {"job_id": "a/b", "step": 0},
        {"job_id": "job_unknown", "step": 0},
        {"job_id": "job_x", "step": 0, "payload": []},
    ],
)
def test_what_cannot_be_carried_out_is_dropped(body: object) -> None:
    answer = World(a_kind(count_up)).runner.deliver("count", body)

    assert (answer.status, answer.body, answer.headers) == (200, {"status": "dropped"}, {})


def test_an_unknown_type_another_type_and_a_step_that_never_was_are_dropped() -> None:
    world = World(a_kind(count_up), a_kind(count_up, name="other"))
    job = world.start(units=1).job

    dropped = [
        world.runner.deliver("nothing", body_of(world, job)),
        world.runner.deliver("other", body_of(world, job)),
        world.runner.deliver("count", body_of(world, job, step=1)),
    ]

    assert [answer.body for answer in dropped] == [{"status": "dropped"}] * 3
    assert world.jobs.get(job.id) == job


def test_old_steps_and_old_epochs_have_nothing_to_do() -> None:
    world = World(a_kind(_in_steps))
    job = world.start(units=2).job
    first = body_of(world, job)
    world.runner.deliver("count", first)
    before = world.jobs.record(job.id)

    again = world.runner.deliver("count", first)
    older = world.runner.deliver("count", body_of(world, job, lease_epoch=0))

    assert (again.status, again.body) == (200, {"job_id": job.id, "status": "running"})
    assert (older.status, older.body) == (200, {"job_id": job.id, "status": "running"})
    assert world.jobs.record(job.id) == before


def test_a_job_goes_on_in_further_deliveries_with_fresh_attempts() -> None:
    world = World(a_kind(_in_steps))
    job = world.start(units=3).job

    world.run()

    bodies = [answer.body for answer in world.answers]
    following = [{"step": step, "delay_seconds": 0.0} for step in (1, 2)]
    assert [body.get("next") for body in bodies] == [*following, None]
    assert [body["status"] for body in bodies] == ["running", "running", "succeeded"]
    assert world.jobs.get(job.id).attempts == 1
    assert applied(world.documents, job.id) == 3


def test_a_delayed_step_waits() -> None:
    def later(step: Step) -> Done | Continue:
        if step.cursor is None:
            step.checkpoint(cursor=1)
            return Continue(delay_s=300)
        return Done()

    world = World(a_kind(later))
    job = world.start().job

    world.run(minutes=4.9)
    waiting = world.jobs.get(job.id).status
    world.run(minutes=0.2)

    assert (waiting, world.jobs.get(job.id).status) == ("running", "succeeded")


def test_a_delivery_ends_after_eight_minutes_and_the_next_one_goes_on() -> None:
    def slow(step: Step) -> Done:
        for unit in range(step.cursor or 0, 20):
            world.clock.advance(50)
            step.checkpoint(cursor=unit + 1)
        return Done()

    world = World(a_kind(slow))
    job = world.start().job

    world.run()

    assert [answer.body.get("next", {}).get("step") for answer in world.answers] == [1, 2, None]
    assert (world.jobs.get(job.id).status, world.jobs.get(job.id).duration_ms) == ("succeeded", 1_000_000)


def test_a_step_that_uses_its_time_without_getting_further_does_not_go_on_for_ever() -> None:
    def idle(step: Step) -> Done:
        while True:
            world.clock.advance(100)
            step.checkpoint()

    world = World(a_kind(idle))
    job = world.start().job

    world.run(minutes=120)

    after = world.jobs.get(job.id)
    assert after.error is not None
    assert (after.status, after.dead_letter, after.error.code) == ("failed", True, "no_progress")


def test_a_late_worker_cannot_write() -> None:
    """A stalls, its lease expires, B does the work, A wakes."""
    second: list[int] = []

    def stalling(step: Step) -> Done:
        if step.epoch == 1:
            world.clock.advance(61)
            second.append(world.runner.deliver("count", body_of(world, job)).status)
        return count_up(step)

    world = World(a_kind(stalling))
    job = world.start(units=2).job
    world.run()

    epochs = {stored.data["epoch"] for stored in world.store.query(Query("effects", limit=10))}
    assert (second, epochs, applied(world.documents, job.id)) == ([200], {2}, 2)
    assert [answer.status for answer in world.answers] == [200]
    assert world.jobs.get(job.id).attempts == 2


def _failing(error: BaseException) -> Any:
    def fail(_: Step) -> Done:
        raise error

    return fail


def _in_steps(step: Step) -> Done | Continue:
    """Apply one unit per delivery."""
    done = (step.cursor or 0) + 1
    effect = Put(Key("effects", f"{step.job_id}-{done}"), {"job_id": step.job_id})
    step.checkpoint(cursor=done, writes=[effect])
    return Done() if done == step.input["units"] else Continue()
