"""Tasks and schedules on one machine: durable in an SQLite file, delivered over HTTP to the worker's own routes.

Not an emulation of Cloud Tasks and Cloud Scheduler but the same promises kept by a file and a few threads: at least once,
single by name for about an hour, later again on 429 and 5xx, nothing lost by `kill -9`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.adapters.local_queue.cron import next_slot
    from shared.adapters.local_queue.delivery import HttpCalls
    from shared.adapters.local_queue.dispatcher import Dispatcher
    from shared.adapters.local_queue.loop import CronLoop
    from shared.adapters.local_queue.schedules import SqliteSchedules
    from shared.adapters.local_queue.tasks import Claimed, QueueState, SqliteTasks

__all__ = [
    "Claimed",
    "CronLoop",
    "Dispatcher",
    "HttpCalls",
    "QueueState",
    "SqliteSchedules",
    "SqliteTasks",
    "next_slot",
]

_PLACES = {
    "Claimed": "shared.adapters.local_queue.tasks",
    "CronLoop": "shared.adapters.local_queue.loop",
    "Dispatcher": "shared.adapters.local_queue.dispatcher",
    "HttpCalls": "shared.adapters.local_queue.delivery",
    "QueueState": "shared.adapters.local_queue.tasks",
    "SqliteSchedules": "shared.adapters.local_queue.schedules",
    "SqliteTasks": "shared.adapters.local_queue.tasks",
    "next_slot": "shared.adapters.local_queue.cron",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: a function that only enqueues needs neither the dispatcher nor the cron loop."""
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(importlib.import_module(_PLACES[name]), name)
