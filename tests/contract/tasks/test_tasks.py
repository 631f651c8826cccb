"""What every queue promises (shared/ports/tasks.py)."""

from datetime import timedelta

import pytest

from shared.ports.tasks import Task
from tests.contract.tasks.conftest import Queue


def a_task(name: str = "job_1-0", **more: object) -> Task:
    return Task(**({"kind": "count", "queue": "refresh", "name": name, "payload": {"job_id": "job_1"}} | more))  # type: ignore[arg-type]


def test_a_task_is_one_call_of_the_worker(queue: Queue) -> None:
    payload = {"job_id": "job_1", "step": 0, "cursor": None, "payload": {"name": "Zoë ✓", "list": [1, 2.5, None, True]}}
    queue.tasks.enqueue(a_task(payload=payload, headers={"traceparent": "00-a-b-01"}))

    made = (queue.deliver_due(), queue.after(3600))

    assert made == (1, 0)
    [call] = queue.worker.calls
    assert (call.path, call.body) == ("/internal/tasks/count", payload)
    assert call.headers["content-type"] == "application/json"
    assert call.headers["authorization"] == "Bearer token-1"
    assert call.headers["traceparent"] == "00-a-b-01"
    assert call.headers["x-cloudtasks-queuename"] == "refresh"
    assert call.headers["x-cloudtasks-taskname"] == "job_1-0"
    assert call.headers["x-cloudtasks-taskretrycount"] == "0"


def test_a_name_is_run_once_also_after_it_was_delivered(queue: Queue) -> None:
    queue.tasks.enqueue(a_task())
    queue.tasks.enqueue(a_task(payload={"other": True}))
    first = queue.deliver_due()
    queue.tasks.enqueue(a_task())

    assert (first, queue.after(1800)) == (1, 0)
    assert [call.body for call in queue.worker.calls] == [{"job_id": "job_1"}]


def test_a_name_is_forgotten_after_some_hours(queue: Queue) -> None:
    queue.tasks.enqueue(a_task())
    queue.deliver_due()
    queue.clock.advance(3 * 3600)
    queue.tasks.enqueue(a_task())

    assert queue.deliver_due() == 1


def test_a_task_is_not_run_before_its_time(queue: Queue) -> None:
    queue.tasks.enqueue(a_task(not_before=queue.clock.now() + timedelta(seconds=90)))

    assert (queue.deliver_due(), queue.after(89), queue.after(2)) == (0, 0, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_the_worker_says_when_to_come_again(queue: Queue, status: int) -> None:
    queue.worker.script = [(status, {"Retry-After": "45"})]
    queue.tasks.enqueue(a_task())

    assert (queue.deliver_due(), queue.after(44), queue.after(2), queue.after(3600)) == (1, 0, 1, 0)
    assert [call.headers["x-cloudtasks-taskretrycount"] for call in queue.worker.calls] == ["0", "1"]


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
def test_any_other_refusal_is_tried_again_within_ten_minutes(queue: Queue, status: int) -> None:
    queue.worker.script = [(status, {})]
    queue.tasks.enqueue(a_task())

    assert (queue.deliver_due(), queue.after(5), queue.after(600)) == (1, 0, 1)


def test_a_worker_that_is_away_is_tried_again(queue: Queue) -> None:
    queue.worker.script = [(500, {})] * 3
    queue.tasks.enqueue(a_task())

    assert [queue.after(720) for _ in range(5)] == [1, 1, 1, 1, 0]


def test_a_task_is_given_up_after_twelve_deliveries(queue: Queue) -> None:
    queue.worker.script = [(500, {})] * 20
    queue.tasks.enqueue(a_task())

    assert sum(queue.after(800) for _ in range(15)) == 12


def test_a_cancelled_task_is_not_delivered(queue: Queue) -> None:
    for name in ("job_1-0", "job_2-0"):
        queue.tasks.enqueue(a_task(name))

    queue.tasks.cancel(a_task("job_1-0"))
    queue.tasks.cancel(a_task("unknown"))
    queue.deliver_due()

    assert [call.headers["x-cloudtasks-taskname"] for call in queue.worker.calls] == ["job_2-0"]


def test_no_task_of_many_is_lost_or_doubled(queue: Queue) -> None:
    names = [f"job_{number}-0" for number in range(60)]
    queue.worker.script = [(503, {"Retry-After": "10"})] * 20
    for name in names:
        queue.tasks.enqueue(a_task(name))

    queue.deliver_due()
    queue.after(11)

    delivered = [call.headers["x-cloudtasks-taskname"] for call in queue.worker.calls]
    assert len(delivered) == 80
    assert set(delivered) == set(names)


def test_a_queue_answers_a_ping(queue: Queue) -> None:
    queue.tasks.ping()
