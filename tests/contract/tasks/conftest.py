"""Every queue the product can run on. A further one adds its name to `QUEUES` and a branch to `queue`."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.adapters.cloud_tasks import CloudTasks, Target
from shared.adapters.local_queue import Dispatcher, HttpCalls, SqliteTasks
from shared.core.clock import ManualClock
from shared.ports.tasks import Tasks
from tests.contract.worker import Worker, running_worker
from tests.google.tasks.engine import PARENT, CloudTasksEngine, running_cloud_tasks

QUEUES = ("local-memory", "local-file", "cloud-tasks")


@dataclass(frozen=True)
class Queue:
    """A queue under test: the port, its time, the worker it calls, and a way to deliver all that is due now."""

    tasks: Tasks
    clock: ManualClock
    worker: Worker
    deliver_due: Callable[[], int]

    def after(self, seconds: float) -> int:
        """Let time pass and deliver what is due then; return how many calls that made."""
        self.clock.advance(seconds)
        return self.deliver_due()


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Give a worker that takes every call."""
    with running_worker() as worker:
        yield worker


@pytest.fixture(params=QUEUES)
def queue(request: pytest.FixtureRequest, worker: Worker, tmp_path: Path) -> Iterator[Queue]:
    """Give each queue in turn, empty."""
    clock = ManualClock()
    if request.param == "cloud-tasks":
        engine = CloudTasksEngine(clock, lambda _, __: "token-1")
        with running_cloud_tasks(engine) as client:
            target = Target(worker.url, worker.url, "invoker@test")
            yield Queue(CloudTasks(PARENT, target, client), clock, worker, engine.run_due)
        return
    path = ":memory:" if request.param == "local-memory" else tmp_path / "queue.db"
    tasks = SqliteTasks(path, clock)
    dispatcher = Dispatcher(tasks, HttpCalls(worker.url, lambda: "token-1").task, clock, rng=random.Random(1))
    yield Queue(tasks, clock, worker, dispatcher.run_due)
    tasks.close()
