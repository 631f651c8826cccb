"""What Cloud Tasks is asked for beyond the port's contract: identity of the call, refusals, trouble."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.cloud_tasks import DEADLINE_S, CloudTasks, Target
from shared.adapters.jose.keys import Ed25519Private
from shared.core.clock import ManualClock
from shared.core.errors import Terminal, Transient
from shared.identity.keys import KeyRing
from shared.identity.oidc import InternalTokens, Invokers
from shared.ports.tasks import Task
from tests.contract.worker import Worker, running_worker
from tests.google.calls import Refused
from tests.google.tasks.engine import PARENT, CloudTasksEngine, running_cloud_tasks

INVOKER = "invoker-dev@test.iam.gserviceaccount.com"


@dataclass(frozen=True)
class Google:
    """A queue, the service behind it, the worker it calls, and the check the worker would make."""

    tasks: CloudTasks
    engine: CloudTasksEngine
    worker: Worker
    check: InternalTokens


@pytest.fixture
def google() -> Iterator[Google]:
    """Give a queue whose calls are signed as Google signs them, with a key of the test's own."""
    clock, key = ManualClock(), Ed25519Private.generate()

    def token(email: str, audience: str) -> str:
        now = int(clock.now().timestamp())
        claims = {"iss": "https://accounts.google.com", "aud": audience, "email": email, "email_verified": True}
        return key.sign({**claims, "sub": "1", "iat": now, "exp": now + 3600}, typ="JWT")

    engine = CloudTasksEngine(clock, token)
    ring = KeyRing([key.public])
    check = InternalTokens(lambda: ring, Invokers("https://worker.test", {INVOKER}), clock)
    with running_worker() as worker, running_cloud_tasks(engine) as client:
        target = Target(worker.url, "https://worker.test", INVOKER)
        yield Google(CloudTasks(PARENT, target, client), engine, worker, check)


def a_task(**more: Any) -> Task:
    return Task(**({"kind": "refresh", "queue": "refresh", "name": "job_1-0", "payload": {}} | more))


def test_the_workers_own_check_takes_the_platforms_token(google: Google) -> None:
    google.tasks.enqueue(a_task())
    google.engine.run_due()

    [call] = google.worker.calls
    caller = google.check.verify(call.headers["authorization"].removeprefix("Bearer "))

    assert (caller.scheme, caller.username) == ("internal", INVOKER)
    assert call.headers["user-agent"] == "Google-Cloud-Tasks"


@pytest.mark.parametrize(
    "bad",
    [
        {"queue": "unknown"},
        {"name": "job/1"},
        {"payload": {"text": "x" * 110_000}},
        {"not_before": ManualClock().now() + timedelta(days=31)},
    ],
)
def test_what_cloud_tasks_refuses_is_terminal(google: Google, bad: dict[str, Any]) -> None:
    with pytest.raises(Terminal) as refused:
        google.tasks.enqueue(a_task(**bad))

    assert refused.value.code == "tasks_refused"
    assert google.engine.run_due() == 0


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"])
def test_passing_trouble_is_tried_again_at_once(google: Google, code: str) -> None:
    google.engine.trouble = [Refused(code, "later")] * 2
    google.tasks.enqueue(a_task())

    assert google.engine.run_due() == 1


@pytest.mark.parametrize(
    ("code", "ours", "limited"),
    [("RESOURCE_EXHAUSTED", "tasks_busy", True), ("PERMISSION_DENIED", "tasks_unavailable", False)],
)
def test_other_trouble_is_left_to_the_outbox(google: Google, code: str, ours: str, *, limited: bool) -> None:
    google.engine.trouble = [Refused(code, "no")]

    with pytest.raises(Transient) as trouble:
        google.tasks.enqueue(a_task())

    assert (trouble.value.code, trouble.value.rate_limited) == (ours, limited)


def test_a_lost_answer_does_not_make_a_second_task(google: Google) -> None:
    """The service took the task and the answer was lost: the repeated call meets its own name."""
    create = google.engine.create_task
    lost = iter([True])

    def once_lost(request: Any) -> Any:
        answer = create(request)
        if next(lost, False):
            raise Refused("UNAVAILABLE", "the answer was lost")
        return answer

    google.engine.create_task = once_lost  # type: ignore[method-assign]
    with running_cloud_tasks(google.engine) as client:
        CloudTasks(PARENT, Target(google.worker.url, "a", INVOKER), client).enqueue(a_task())

    assert google.engine.run_due() == 1


def test_a_ping_that_is_denied_is_answered_and_one_that_fails_is_not(google: Google) -> None:
    google.engine.denied = {"GetQueue"}
    google.tasks.ping()
    google.engine.denied = set()
    google.engine.trouble = [Refused("UNAUTHENTICATED", "who?")]

    with pytest.raises(Transient):
        google.tasks.ping()


def test_a_delivery_may_take_as_long_as_the_port_says(google: Google) -> None:
    create, seen = google.engine.create_task, []

    def noted(request: Any) -> Any:
        seen.append(request.task.dispatch_deadline.total_seconds())
        return create(request)

    google.engine.create_task = noted  # type: ignore[method-assign]
    with running_cloud_tasks(google.engine) as client:
        CloudTasks(PARENT, Target("http://127.0.0.1:1", "a", INVOKER), client).enqueue(a_task())

    assert seen == [DEADLINE_S]
