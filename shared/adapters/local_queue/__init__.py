"""Tasks and schedules on one machine: durable in an SQLite file, delivered over HTTP to the worker's own routes.

Not an emulation of Cloud Tasks and Cloud Scheduler but the same promises kept by a file and a few threads: at least once,
single by name for about an hour, later again on 429 and 5xx, nothing lost by `kill -9`.
"""

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
