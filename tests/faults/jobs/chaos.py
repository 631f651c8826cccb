"""A seeded world in which everything that can go wrong with a delivery does, and every commit is watched.

Tasks are doubled, delayed, reordered, lost until the queue tries again, and their answers get lost. Workers stall beyond
their lease while other deliveries run in the middle of their work, and die at any commit. The store and the queue refuse,
before or after having done what was asked.
"""

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from shared.core.errors import Problem, Terminal, Transient
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.record import JOBS
from shared.jobs.states import LIVE
from shared.ports.documents import Create, Delete, Key, Put
from shared.ports.tasks import Task
from tests.faults.jobs.rig import Crash, TappedDocuments
from tests.unit.jobs.world import OPERATOR, World, a_kind

__all__ = ["Broken", "Chaos"]

_SUBJECTS = ("stord", "shipbob", "third")
_UNITS = 6
_DEEPEST = 3
_MOST_DELIVERIES = 12
_TRANSITIONS = {
    "queued": {"queued", "running", "cancelled"},
    "running": {"running", "queued", "succeeded", "failed", "cancelled"},
}


class Broken(AssertionError):
    """An invariant does not hold."""


class Watch:
    """Checks every commit as it happens."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.counters: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.commits = 0

    def __call__(self, _: str, writes: Any) -> None:
        self.commits += 1
        places = {"jobs": self._job, "counters": self._counter, "ends": self._end}
        for write in sorted(writes, key=lambda each: each.key.collection != JOBS):
            if not isinstance(write, Delete) and write.key.collection in places:
                places[write.key.collection](write.key.id, write.data)
        for job_id, count in self.counters.items():
            self._check((self.jobs[job_id]["cursor"] or 0) == count, "effects and cursor differ")

    def _counter(self, job_id: str, new: dict[str, Any]) -> None:
        self.counters[job_id] = new["value"]
        self._check(self.jobs[job_id]["status"] == "running", "an effect of a job that does not run")

    def _end(self, job_id: str, _: dict[str, Any]) -> None:
        self.ends[job_id] = self.ends.get(job_id, 0) + 1

    def _job(self, job_id: str, new: dict[str, Any]) -> None:
        old = self.jobs.get(job_id)
        self.jobs[job_id] = new
        live = [(job["kind"], job["subject"]) for job in self.jobs.values() if job["status"] in LIVE]
        self._check(len(live) == len(set(live)), "two live jobs of one subject")
        if old is None:
            return
        if old["status"] not in _TRANSITIONS:
            changed = {name for name in new if new[name] != old[name]}
            self._check(changed <= {"retried_by", "version"}, f"an ended job changed: {changed}")
            return
        self._check(new["status"] in _TRANSITIONS[old["status"]], f"{old['status']} -> {new['status']}")
        self._check(new["progress_percent"] >= old["progress_percent"], "progress went back")
        self._check((new["progress_percent"] == 100) == (new["status"] == "succeeded"), "100 without success")
        self._check(new["epoch"] >= old["epoch"] and new["step"] >= old["step"], "epoch or step went back")
        self._check(new["attempts"] <= new["max_attempts"], "too many attempts")

    @staticmethod
    def _check(holds: bool, message: str) -> None:
        if not holds:
            raise Broken(message)


class Chaos:
    """One run: a seed, so many random steps, then peace."""

    def __init__(self, seed: int, *, fenced: bool = True) -> None:
        """Set up an empty world."""
        self.rng = random.Random(seed)
        self.fenced, self.faults, self.depth, self.number = fenced, True, 0, 0
        self.heap: list[tuple[datetime, int, Task, int]] = []
        self.watch = Watch()
        kind = a_kind(self._work, on_end=lambda job: [Create(Key("ends", job.id), {"status": job.status})])
        self.tapped = TappedDocuments(World().documents)
        self.world = World(kind, documents=self.tapped, tasks=self, seed=seed)
        self.tapped.before, self.tapped.after = self._before, self._after
        self.clock = self.world.clock
        self.deliveries = 0

    def run(self, steps: int) -> None:
        """Do random things, breaking what can break; every commit is checked."""
        acts: list[tuple[Callable[[], object], int]] = [
            (self._start, 3),
            (self._cancel, 1),
            (self._retry, 2),
            (self._sweep, 2),
            (self._advance, 4),
            (self._deliver_next, 12),
        ]
        for act in self.rng.choices([act for act, _ in acts], [weight for _, weight in acts], k=steps):
            try:
                act()
            except (Crash, Transient, Problem):
                continue

    def settle(self, minutes: int) -> float:
        """Stop breaking things; return after how many minutes all jobs had ended (infinity: not in time)."""
        self.faults = False
        start = self.clock.now()
        for minute in range(minutes):
            self.world.jobs.sweep()
            end = start + timedelta(minutes=minute + 1)
            while self.heap and self.heap[0][0] <= end:
                self._deliver_next()
            self.clock.advance(max(0.0, (end - self.clock.now()).total_seconds()))
            if all(job["status"] not in LIVE for job in self.watch.jobs.values()):
                self.world.jobs.sweep()  # nothing is left lying either
                return minute + 1
        return float("inf")

    def enqueue(self, task: Task) -> None:
        """Take a task, once or several times, now or later; or refuse it, perhaps after having taken it."""
        if self._happens(0.03):
            raise Transient("queue", "Down.")
        for _ in range(1 + (self.rng.randint(1, 3) if self._happens(0.3) else 0)):
            self._push(task, self.rng.choice([0, 0, 1, 70, 400]) if self.faults else 0, 0)
        if self._happens(0.03):
            raise Transient("queue", "Down.")

    def cancel(self, task: Task) -> None:
        """Not used by jobs."""

    def ping(self) -> None:
        """Answer."""

    def _push(self, task: Task, delay_s: float, retries: int) -> None:
        at = max(self.clock.now() + timedelta(seconds=delay_s), task.not_before or self.clock.now())
        self.number += 1
        heapq.heappush(self.heap, (at, self.number, task, retries))

    def _deliver_next(self) -> None:
        """Deliver one of the next tasks, not always the first, and believe its answer or not."""
        if not self.heap:
            return
        if self._happens(0.2) and len(self.heap) > 1:
            at, _, task, retries = self.heap.pop()
            heapq.heapify(self.heap)
        else:
            at, _, task, retries = heapq.heappop(self.heap)
        self.clock.advance(max(0.0, (at - self.clock.now()).total_seconds()))
        wait = 30.0 * 2 ** min(retries, 4) if self._happens(0.1) else self._call(task)
        if wait is not None and retries + 1 < _MOST_DELIVERIES:
            self._push(task, wait, retries + 1)

    def _call(self, task: Task) -> float | None:
        """Call the worker; return when to come again, None for done."""
        self.deliveries += 1
        self.depth += 1
        try:
            answer = self.world.runner.deliver(task.kind, dict(task.payload))
        except Crash:
            return 30.0
        finally:
            self.depth -= 1
        if answer.status == 200 and not self._happens(0.05):
            return None
        return float(answer.headers.get("Retry-After", 30))

    def _work(self, step: Step) -> Done | Continue:
        """Apply units one by one, with everything that may happen in between."""
        key = Key("counters", step.job_id)
        while (done := step.cursor or 0) < _UNITS:
            put = Put(key, {"value": done + 1})
            self._pause()
            if not self.fenced:
                step._version = None  # type: ignore[assignment]  # the control: the job document is written unseen
            step.checkpoint(cursor=done + 1, progress=(done + 1, _UNITS, None), writes=[put])
            self._pause()
            if self._happens(0.05):
                raise self.rng.choice([Transient("down", "Down."), Terminal("no", "No."), ValueError("a fault")])
            if self.rng.random() < 0.2:
                return Continue(delay_s=self.rng.choice([0, 0, 120]))
        return Done({"units": _UNITS})

    def _pause(self) -> None:
        """Let time pass, and others work, in the middle of a unit of work."""
        if self.depth >= _DEEPEST or not self._happens(0.15):
            return
        self.clock.advance(self.rng.choice([0.1, 5, 61, 61, 500]))
        for act in self.rng.choices(
            [self._deliver_next, self._cancel, self._sweep], [6, 1, 1], k=self.rng.randint(1, 3)
        ):
            try:
                act()
            except (Transient, Problem):
                continue

    def _before(self, call: str, _: object) -> None:
        if call == "commit" and self._happens(0.01):
            raise Crash
        if self._happens(0.004):
            raise Transient("store", "Down.")

    def _after(self, call: str, writes: object) -> None:
        self.watch(call, writes)
        if self._happens(0.01):
            raise Crash
        if self._happens(0.01):
            raise Transient("store", "Down, but done.")

    def _happens(self, chance: float) -> bool:
        return self.faults and self.rng.random() < chance

    def _start(self) -> None:
        self.world.jobs.start("count", self.rng.choice(_SUBJECTS), {}, OPERATOR)

    def _cancel(self) -> None:
        if self.watch.jobs and self._happens(0.3):
            self.world.jobs.cancel(self.rng.choice(sorted(self.watch.jobs)))

    def _retry(self) -> None:
        if self.watch.jobs:
            self.world.jobs.retry(self.rng.choice(sorted(self.watch.jobs)), OPERATOR)

    def _sweep(self) -> None:
        self.world.jobs.sweep()

    def _advance(self) -> None:
        self.clock.advance(self.rng.choice([1, 15, 60, 600]))
