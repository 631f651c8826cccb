"""Letting everything that waits be done, as the local drain does, in the caller's thread."""

from typing import Any

from shared.adapters.local_queue import Dispatcher
from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.local_queue.tasks import Claimed

__all__ = ["settle"]


def settle(app: Any, rounds: int = 3) -> None:
    """Deliver what is due, settle what lags, and repeat."""

    def deliver(claimed: Claimed) -> Called:
        return Called(app.job_runner.deliver(claimed.task.kind, dict(claimed.task.payload)).status)

    for _ in range(rounds):
        app.jobs.sweep()
        Dispatcher(app.local_tasks, deliver, app.clock).run_due()
        app.settle()
