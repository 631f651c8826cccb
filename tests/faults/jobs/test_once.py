"""J01, J03, R03, R04: however tasks are delivered and wherever a process dies, effects happen once."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.outbox import OUTBOX, Outbox
from shared.jobs.record import JOBS, LOCKS
from shared.ports.documents import Create, Documents, Key, Put, Query
from shared.ports.tasks import Task
from tests.faults.jobs.rig import Crash, TappedDocuments, TappedTasks
from tests.faults.jobs.volume import sized
from tests.stores import on_stores
from tests.unit.jobs.world import OPERATOR, World, a_kind, body_of

SEED = 20261123


def counting(step: Step) -> Done | Continue:
    """Add one to the job's counter per delivery, fenced."""
    if (step.cursor or 0) >= step.input["units"]:
        return Done()
    key = Key("counters", step.job_id)
    present = _value(step._documents, key)
    step.checkpoint(cursor=(step.cursor or 0) + 1, writes=[Put(key, {"value": present + 1})])
    return Continue()


def counting_unfenced(step: Step) -> Done | Continue:
    """Do the same without the fence: the control."""
    if (step.cursor or 0) >= step.input["units"]:
        return Done()
    key = Key("counters", step.job_id)
    step._documents.commit([Put(key, {"value": _value(step._documents, key) + 1})])
    step.checkpoint(cursor=(step.cursor or 0) + 1)
    return Continue()


@pytest.mark.parametrize("handler", [counting, counting_unfenced])
def test_each_of_5000_tasks_is_applied_once_though_delivered_one_to_five_times(handler: Any) -> None:
    jobs, units, deliveries = sized(500 if handler is counting else 50, 2000), 10, 0
    rng = random.Random(SEED)

    def overlapping(step: Step) -> Done | Continue:
        """While this delivery works, some others of the same task come in; the lease may run out meanwhile."""
        nonlocal deliveries
        if step.epoch < 4 * units and rng.random() < 0.2:
            world.clock.advance(rng.choice([1, 61]))
            deliveries += 1
            world.runner.deliver("count", bodies[step.job_id])
        outcome: Done | Continue = handler(step)
        return outcome

    world = World(a_kind(overlapping, max_attempts=50))
    started = [world.start(str(number), units=units).job for number in range(jobs)]
    bodies: dict[str, dict[str, Any]] = {}
    for _ in range(units):
        bodies |= {job.id: body_of(world, job) for job in started}
        calls = [job.id for job in started for _ in range(rng.randint(1, 5))]
        rng.shuffle(calls)
        for job_id in calls:
            deliveries += 1
            world.runner.deliver("count", bodies[job_id])
        world.clock.advance(61)
    world.run(minutes=30)
    values = [_value(world.documents, Key("counters", job.id)) for job in started]
    print(f"seed {SEED}: {jobs * units} tasks, {deliveries} deliveries")

    assert all(world.jobs.get(job.id).status == "succeeded" for job in started)
    assert (values == [units] * jobs) == (handler is counting)


@on_stores("sqlite-memory", "sqlite-file", "firestore-server")
def test_deliveries_at_the_same_time_apply_a_task_once(documents: Documents) -> None:
    world = World(a_kind(counting), documents=documents)
    job = world.start(units=1).job
    body, barrier, answers = body_of(world, job), threading.Barrier(8), []

    def deliver() -> None:
        barrier.wait()
        answers.append(world.runner.deliver("count", body).status)

    _in_threads([deliver] * 8)

    assert set(answers) <= {200, 503}
    assert (_value(world.documents, Key("counters", job.id)), world.jobs.record(job.id).step) == (1, 1)
    world.run(minutes=2)
    assert (_value(world.documents, Key("counters", job.id)), world.jobs.get(job.id).status) == (1, "succeeded")


@on_stores("sqlite-memory", "sqlite-file", "firestore-server")
@pytest.mark.parametrize("single_flight", [True, False])
def test_fifty_triggers_at_once_start_one_job(documents: Documents, single_flight: bool) -> None:
    """With the claim switched off, the control, they start fifty."""
    world = World(a_kind(counting), documents=documents)
    barrier, started = threading.Barrier(50), []

    def trigger() -> None:
        barrier.wait()
        started.append(world.jobs.start("count", "stord", {"units": 1}, OPERATOR, single_flight=single_flight))

    _in_threads([trigger] * 50)

    assert len(started) == 50
    assert len({each.job.id for each in started}) == (1 if single_flight else 50)
    assert sum(not each.joined for each in started) == (1 if single_flight else 50)


@pytest.mark.parametrize("fenced", [True, False])
def test_a_late_worker_never_turns_the_pointer_back(fenced: bool) -> None:
    """A stalls beyond its lease, B publishes, A wakes; A works from what it read before it stalled."""
    rng = random.Random(SEED)
    pointer = Key("pointers", "stord")

    def publishing(step: Step) -> Done:
        for number in range(step.cursor or 0, 4):
            made = {"epoch": step.epoch, "number": number}
            if step.epoch == 1 and number == stall:
                world.clock.advance(61)
                world.runner.deliver("count", body_of(world, job))
            if not fenced:
                world.documents.commit([Put(pointer, made)])
            step.checkpoint(cursor=number + 1, writes=[Put(pointer, made)] if fenced else [])
        return Done()

    backwards = 0
    for _ in range(100):
        stall = rng.randrange(4)
        world = World(a_kind(publishing))
        job = world.start("stord").job
        world.run(minutes=5)
        stored = world.store.get(pointer)
        assert stored is not None
        assert (world.jobs.get(job.id).status, world.jobs.get(job.id).attempts) == ("succeeded", 2)
        backwards += stored.data != {"epoch": 2, "number": 3}

    assert backwards == (0 if fenced else 100)


@on_stores("sqlite-memory", "firestore-server")
def test_a_crash_at_any_point_loses_nothing_and_doubles_nothing(documents: Documents) -> None:
    """Die before or after every single call of store and queue, from the trigger to the end of a job in three steps."""
    runs, died = 0, True
    while died:
        died, world, job_id = _die_at(runs, documents)
        value = _value(documents, Key("counters", job_id))
        assert (runs, world.jobs.get(job_id).status, value) == (runs, "succeeded", 3)
        assert [world.store.count(Query(each)) for each in (OUTBOX, LOCKS)] == [0, 0]
        runs += died
    print(f"{runs} points of death")

    assert runs > 60


def test_the_control_without_an_outbox_loses_jobs() -> None:
    lost, run, died = 0, 0, True
    while died:
        died, world, job_id = _die_at(run, World().documents, outbox=_EnqueueFirst, wake=False)
        lost += world.store.get(Key(JOBS, job_id)) is not None and world.jobs.get(job_id).status != "succeeded"
        run += 1

    assert lost > 0


class _EnqueueFirst(Outbox):
    """The control: the queue is told before the commit, and no row remembers it."""

    def add(self, task: Task) -> Create:
        self._tasks.enqueue(task)
        return Create(Key("nothing", task.name), {})

    def sweep(self) -> int:
        return 0


def _die_at(
    point: int, documents: Documents, *, outbox: type[Outbox] = Outbox, wake: bool = True
) -> tuple[bool, World, str]:
    """Run one job on an instance that dies at the n-th call, then on a new one until it ends (or for ten minutes)."""
    mortal = _Mortal(point, documents, outbox)
    world, subject = mortal.world, f"{outbox.__name__}-{point}"
    mortal.attempt(lambda: world.start(subject, units=3))  # the trigger, which its sender repeats without an answer
    mortal.attempt(lambda: mortal.died and world.start(subject, units=3))
    for _ in range(20 if wake else 10):
        mortal.attempt(world.dispatcher.run_due)
        world.clock.advance(61)
        mortal.attempt(world.jobs.outbox.sweep)
    mortal.tap(lambda *_: None)
    found = documents.query(Query(JOBS, equals=(("subject", subject),)))
    return mortal.died, world, found[0].key.id if found else "none"


class _Mortal:
    """An instance that dies at the n-th call of its store and queue, and is started anew."""

    def __init__(self, point: int, documents: Documents, outbox: type[Outbox]) -> None:
        self.left, self.died, self._outbox = point, False, outbox
        self._documents = TappedDocuments(documents)
        self.world = World(a_kind(counting), documents=self._documents, seed=point)
        self.world.ids._last = 1000 * point  # one store sees many runs
        self._tasks = TappedTasks(self.world.queue)
        self.world.tasks = self._tasks
        self._start()
        self.tap(self._fatal)

    def tap(self, listener: Callable[[str, Any], None]) -> None:
        """Hear every call before and after it is made."""
        for tapped in (self._documents, self._tasks):
            tapped.before = tapped.after = listener

    def attempt(self, work: Callable[[], object]) -> None:
        """Work until done or dead; start anew in both cases."""
        try:
            work()
        except Crash:
            self.world.clock.advance(1)
        self._start()

    def _start(self) -> None:
        self.world.restart()
        self.world.jobs.outbox = self._outbox(self.world.store, self._tasks, self.world.clock)
        self.world.runner._outbox = self.world.jobs.outbox

    def _fatal(self, *_: object) -> None:
        if not self.died and self.left == 0:
            self.died = True
            raise Crash
        self.left -= 1


def _value(documents: Documents, key: Key) -> int:
    stored = documents.get(key)
    return stored.data["value"] if stored else 0


def _in_threads(works: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
