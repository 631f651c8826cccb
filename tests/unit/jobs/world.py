"""A small world to run jobs in: real stores and a real queue, time that moves only when told."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.adapters.local_queue import Claimed, Dispatcher, SqliteTasks
from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock, parse_instant
from shared.core.ids import SequentialIds
from shared.jobs.kinds import Continue, Done, JobKind, Step
from shared.jobs.models import ItemQuery, Job, JobItem
from shared.jobs.runner import Answer, JobRunner
from shared.jobs.service import JobService, Started
from shared.ports.documents import Create, Documents, Key, Query
from shared.ports.store import Store
from shared.ports.tasks import Tasks

__all__ = ["OPERATOR", "World", "a_kind", "applied", "body_of", "count_up", "items_of"]

OPERATOR = Caller(user_id="usr_1", username="operator", role=Role.OPERATOR)
SHAPES = Shapes.read(Path(__file__).parents[3] / "infra" / "firestore.indexes.json")
Handler = Callable[[Step], Done | Continue]


def a_kind(handler: Handler, name: str = "count", **more: Any) -> JobKind:
    """Make a kind that runs in the queue `refresh`."""
    return JobKind(name=name, queue="refresh", handler=handler, label="Count", **more)


def count_up(step: Step) -> Done:
    """Apply the units of the input one by one: each is a document that must not exist yet."""
    total = step.input["units"]
    for unit in range(step.cursor or 0, total):
        effect = Create(Key("effects", f"{step.job_id}-{unit}"), {"job_id": step.job_id, "epoch": step.epoch})
        step.checkpoint(cursor=unit + 1, progress=(unit + 1, total, f"unit {unit}"), writes=[effect])
    return Done({"units": total})


def applied(documents: Documents, job_id: str) -> int:
    """Count the units of a job that were applied."""
    return documents.count(Query("effects", equals=(("job_id", job_id),)))


def body_of(world: "World", job: Job, **changes: Any) -> dict[str, Any]:
    """Return the body of the task that delivers a job's present step."""
    record = world.jobs.record(job.id)
    body = {"job_id": job.id, "step": record.step, "lease_epoch": record.step_epoch, "cursor": None, "payload": {}}
    return body | changes


def items_of(world: "World", job_id: str, *statuses: str) -> list[JobItem]:
    """Return the recorded items of a job in order."""
    asked = ItemQuery.model_validate({"status": list(statuses) or None})
    query = replace(world.jobs.wanted_items(job_id, asked), order_by="number")
    return [world.jobs.read_item(stored) for stored in world.store.query(query)]


class World:
    """Everything the worker needs, over one store."""

    def __init__(
        self, *kinds: JobKind, documents: Documents | None = None, tasks: Tasks | None = None, seed: int = 0
    ) -> None:
        """Build it; by default on SQLite in memory, with the product's own local queue."""
        self.clock = ManualClock(datetime(2026, 11, 1, 8, 0, tzinfo=UTC))
        self.documents = documents or SqliteDocuments.in_memory(SHAPES)
        self.queue = SqliteTasks(":memory:", self.clock)
        self.kinds: Mapping[str, JobKind] = {kind.name: kind for kind in kinds}
        self.rng = random.Random(seed)
        self.ids = SequentialIds()
        self.tasks: Tasks = tasks or self.queue
        self.restart()
        self.answers: list[Answer] = []

    def restart(self) -> None:
        """Build the product's objects anew, as a new process would."""
        self.store = Store(self.documents, self.clock, self.rng)
        self.jobs = JobService(self.store, self.tasks, self.clock, self.ids, self.kinds)
        self.runner = JobRunner(self.jobs, self.clock, self.ids, self.rng)
        self.dispatcher = Dispatcher(self.queue, self.call, self.clock, rng=self.rng)

    def start(self, subject: str | None = "one", kind: str = "count", **given: Any) -> Started:
        """Start a job; `given` is its input."""
        return self.jobs.start(kind, subject, given, OPERATOR)

    def call(self, claimed: Claimed) -> Called:
        """Deliver a task to the runner, as the worker's route does."""
        answer = self.runner.deliver(claimed.task.kind, dict(claimed.task.payload))
        self.answers.append(answer)
        wait = answer.headers.get("Retry-After")
        return Called(answer.status, float(wait) if wait else None)

    def run(self, minutes: float = 0.0) -> None:
        """Deliver everything that comes due within so many minutes, moving the time as needed."""
        end = self.clock.now().timestamp() + minutes * 60
        self.dispatcher.run_due()
        while (due := self.queue.next_due()) is not None and parse_instant(due).timestamp() <= end:
            self.clock.advance(max(0.0, parse_instant(due).timestamp() - self.clock.now().timestamp()) + 0.001)
            self.dispatcher.run_due()
        self.clock.advance(max(0.0, end - self.clock.now().timestamp()))
