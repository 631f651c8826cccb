"""What the local queue promises beyond the port: threads, limits, restarts, and what the local control page shows."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.local_queue import Claimed, Dispatcher, HttpCalls, QueueState, SqliteTasks
from shared.adapters.local_queue.dispatcher import Called
from shared.core.clock import ManualClock, SystemClock
from shared.core.errors import Transient
from shared.ports.tasks import Task
from tests.contract.worker import Worker, running_worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Give a worker that takes every call."""
    with running_worker() as worker:
        yield worker


def test_threads_empty_the_queue_and_at_most_two_refreshes_run_at_once(worker: Worker, tmp_path: Path) -> None:
    tasks = SqliteTasks(tmp_path / "queue.db", SystemClock())
    dispatcher = Dispatcher(tasks, HttpCalls(worker.url, lambda: "t").task, SystemClock())
    dispatcher.start()
    for number in range(30):
        tasks.enqueue(Task("count", "refresh", f"t{number}", {}))

    drained = dispatcher.drain(20)
    dispatcher.stop()

    assert drained
    assert tasks.state() == QueueState(0, 0, 0)
    assert len(worker.calls) == 30
    assert 1 <= worker.most_at_once <= 2


def test_a_full_queue_does_not_hold_up_another(worker: Worker, tmp_path: Path) -> None:
    tasks = SqliteTasks(tmp_path / "queue.db", SystemClock())
    worker.gate.clear()
    dispatcher = Dispatcher(tasks, HttpCalls(worker.url, lambda: "t").task, SystemClock(), limits={"refresh": 1})
    dispatcher.start()
    names = [("refresh", "a"), ("refresh", "b"), ("alerts", "c")]
    for queue, name in names:
        tasks.enqueue(Task("count", queue, name, {}))

    held = dispatcher.drain(0.3)
    during = sorted(call.headers["x-cloudtasks-taskname"] for call in worker.calls)
    worker.gate.set()
    drained = dispatcher.drain(20)
    dispatcher.stop()

    assert (held, during, drained, len(worker.calls)) == (False, ["a", "c"], True, 3)


def test_a_task_taken_by_a_process_that_died_is_delivered_by_the_next(tmp_path: Path) -> None:
    clock, delivered = ManualClock(), []
    first = SqliteTasks(tmp_path / "queue.db", clock)
    first.enqueue(Task("count", "refresh", "t1", {"n": 1}, headers={"traceparent": "x"}))
    taken = first.claim()
    nothing = first.claim()

    def deliver(claimed: Claimed) -> Called:
        delivered.append(claimed)
        return Called(200)

    second = SqliteTasks(tmp_path / "queue.db", clock)
    Dispatcher(second, deliver, clock).run_due()

    assert (delivered, nothing) == ([taken], None)


def test_a_call_that_raises_or_finds_nobody_is_made_again(tmp_path: Path) -> None:
    clock = ManualClock()
    tasks = SqliteTasks(":memory:", clock)
    nobody = HttpCalls("http://127.0.0.1:9", lambda: "t").task
    answers = iter([ValueError("no"), None, Called(200)])

    def deliver(claimed: Claimed) -> Called:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer or nobody(claimed)

    dispatcher = Dispatcher(tasks, deliver, clock)
    tasks.enqueue(Task("count", "refresh", "t1", {}))
    made = [dispatcher.run_due()]
    for _ in range(3):
        clock.advance(300)
        made.append(dispatcher.run_due())

    assert made == [1, 1, 1, 0]


def test_state_tells_waiting_due_and_running(tmp_path: Path) -> None:
    clock = ManualClock()
    tasks = SqliteTasks(tmp_path / "queue.db", clock)
    tasks.enqueue(Task("count", "refresh", "now", {}))
    tasks.enqueue(Task("count", "refresh", "later", {}, not_before=clock.now().replace(hour=23)))

    before = tasks.state()
    tasks.claim()

    assert (before, tasks.state()) == (QueueState(2, 1, 0), QueueState(1, 0, 1))
    assert tasks.next_due() == "2026-01-15T23:30:00.000000Z"


def test_a_closed_queue_is_in_trouble(tmp_path: Path) -> None:
    tasks = SqliteTasks(tmp_path / "queue.db", ManualClock())
    tasks.close()

    for call in (tasks.ping, lambda: tasks.enqueue(Task("count", "refresh", "x", {})), tasks.claim, tasks.state):
        with pytest.raises(Transient):
            call()


def test_two_threads_never_take_the_same_task(tmp_path: Path) -> None:
    tasks = SqliteTasks(tmp_path / "queue.db", ManualClock())
    for number in range(200):
        tasks.enqueue(Task("count", "refresh", f"t{number}", {}))
    taken: list[str] = []

    def take() -> None:
        while (claimed := tasks.claim()) is not None:
            taken.append(claimed.task.name)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken)) == 200
