"""J04, J05: work that never succeeds stays bounded; cancelled and succeeded exclude each other."""

import random
from typing import Any

import pytest

from shared.core.errors import Terminal
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.states import LIVE
from shared.ports.documents import Create, Key, Query
from tests.faults.jobs.rig import TappedDocuments
from tests.unit.jobs.world import OPERATOR, World, a_kind, applied, body_of, count_up, items_of

SEED = 20261124
ROWS, BAD = 1000, 617


def test_a_hundred_jobs_that_always_fail_end_after_five_attempts_each() -> None:
    def poison(_: Step) -> Done:
        raise RuntimeError("always")

    world = World(a_kind(poison))
    jobs = [world.start(str(number)).job for number in range(100)]

    world.run(minutes=60)

    ends = [world.jobs.get(job.id) for job in jobs]
    assert len(world.answers) == 500
    assert {(end.status, end.attempts, end.dead_letter, end.error and end.error.code) for end in ends} == {
        ("failed", 5, True, "internal_error")
    }
    assert world.queue.state().queued == 0


def test_one_bad_row_of_a_thousand_costs_one_row() -> None:
    world = World(a_kind(_careful))
    job = world.start().job

    world.run()

    after = world.jobs.get(job.id)
    [bad] = items_of(world, job.id)
    assert (after.status, after.items_processed, after.items_total) == ("succeeded", ROWS, ROWS)
    assert (after.result, after.items_failed) == ({"applied": ROWS - 1, "errors": 1}, 1)
    assert (bad.key, bad.code) == (f"row-{BAD}", "bad_row")
    assert applied(world.documents, job.id) == ROWS - 1


def test_the_control_without_an_item_loop_loses_the_rest() -> None:
    def careless(step: Step) -> Done:
        for row in range(ROWS):
            step.checkpoint(cursor=row, writes=[_row(step, row)])
        return Done()

    world = World(a_kind(careless))
    job = world.start().job
    world.run(minutes=60)

    assert (world.jobs.get(job.id).status, applied(world.documents, job.id)) == ("failed", BAD)


def test_a_poisoned_job_can_be_retried_once_the_cause_is_gone() -> None:
    cured: list[bool] = []

    def poison(step: Step) -> Done:
        if not cured and (step.cursor or 0) >= 3:
            raise RuntimeError("always")
        return count_up(step) if cured else _first_three(step)

    world = World(a_kind(poison, resumes=True))
    job = world.start(units=5).job
    world.run(minutes=60)
    cured.append(True)

    new = world.jobs.retry(job.id, OPERATOR).job
    world.run()

    assert world.jobs.get(job.id).dead_letter
    assert world.jobs.get(new.id).status == "succeeded"
    assert (applied(world.documents, job.id), applied(world.documents, new.id)) == (3, 2)


@pytest.mark.parametrize("fenced", [True, False])
def test_cancel_at_any_moment_gives_one_end_and_no_later_write(fenced: bool) -> None:
    """Cancel right before or after a random commit of the worker; the control writes without looking at the job."""
    rng = random.Random(SEED)
    ends: dict[str, int] = {"cancelled": 0, "succeeded": 0}
    later_writes = 0
    for _ in range(200 if fenced else 60):
        trial = _Trial(rng.randrange(16), after=rng.random() < 0.5, fenced=fenced)
        trial.world.run(minutes=30)
        ends[trial.world.jobs.get(trial.job_id).status] += 1
        later_writes += trial.later_writes()
    print(f"seed {SEED}: {ends}, {later_writes} later writes")

    assert (later_writes == 0) == fenced
    assert not fenced or min(ends.values()) > 10


class _Trial:
    """One job that is cancelled right before or after its n-th commit, from elsewhere."""

    def __init__(self, commit: int, *, after: bool, fenced: bool) -> None:
        self.documents, self.fenced, self.left = World().documents, fenced, commit
        self.over_at: int | None = None
        tapped = TappedDocuments(self.documents)
        kind = a_kind(self._work)
        self.world = World(kind, documents=tapped)
        self.elsewhere = World(kind, documents=self.documents)  # sees only what is committed
        self.elsewhere.clock = self.elsewhere.jobs._clock = self.world.clock
        self.job_id = self.world.start().job.id
        if after:
            tapped.after = self._tap
        else:
            tapped.before = self._tap

    def later_writes(self) -> int:
        """Return how many effects came after the job was over, or that it does not know of."""
        count = applied(self.documents, self.job_id)
        unsaid = count - int(self.world.jobs.record(self.job_id).cursor or 0)
        return unsaid + (0 if self.over_at is None else count - self.over_at)

    def _work(self, step: Step) -> Done | Continue:
        for unit in range(step.cursor or 0, 12):
            effect = Create(Key("effects", f"{step.job_id}-{unit}"), {"job_id": step.job_id})
            if not self.fenced:
                self.documents.commit([effect])
            step.checkpoint(cursor=unit + 1, writes=[effect] if self.fenced else [])
            if unit == 6:
                return Continue()
        return Done()

    def _tap(self, call: str, _: Any) -> None:
        if call != "commit":
            return
        self.left -= 1
        if self.left == -1 and self.elsewhere.jobs.get(self.job_id).status in LIVE:
            self.elsewhere.jobs.cancel(self.job_id)
        if self.over_at is None and self.elsewhere.jobs.get(self.job_id).status not in LIVE:
            self.over_at = applied(self.documents, self.job_id)


def _row(step: Step, row: int) -> Create:
    if row == BAD:
        raise Terminal("bad_row", "The price is no number.")
    return Create(Key("effects", f"{step.job_id}-{row}"), {"job_id": step.job_id})


def _careful(step: Step) -> Done:
    """Record a bad row and go on."""
    for start in range(step.cursor or 0, ROWS, 100):
        writes = []
        for row in range(start, start + 100):
            try:
                writes.append(_row(step, row))
            except Terminal as error:
                step.item(f"row-{row}", "failed", error.code, error.detail)
        step.checkpoint(cursor=start + 100, progress=(start + 100, ROWS, None), writes=writes)
    return Done({"applied": ROWS - step.record.items_failed, "errors": step.record.items_failed})


def _first_three(step: Step) -> Done:
    for unit in range(step.cursor or 0, 3):
        effect = Create(Key("effects", f"{step.job_id}-{unit}"), {"job_id": step.job_id})
        step.checkpoint(cursor=unit + 1, writes=[effect])
    raise RuntimeError("always")


def test_the_effects_query_counts() -> None:
    """The measure itself: an unknown job has no effects, another's are not counted."""
    world = World(a_kind(count_up))
    job = world.start(units=2).job
    world.runner.deliver("count", body_of(world, job))

    assert (applied(world.documents, job.id), applied(world.documents, "x"), world.store.count(Query("effects"))) == (
        2,
        0,
        2,
    )
