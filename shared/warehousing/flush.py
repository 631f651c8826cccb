"""The flush: the job that takes waiting rows to the warehouse, asked for on every write and started at most now and then.

A write asks through `Flusher.request`; one process asks the queue at most once in twenty seconds, and all processes share one
live job. What is written in between goes with the next one, at the latest with the schedule `flush-outbox` of every minute,
which also takes what a crash left behind.
"""

from collections.abc import Callable, Mapping

from shared.core.clock import Clock
from shared.jobs.asking import Asker
from shared.jobs.names import ALERTS, FLUSH_OUTBOX
from shared.ports.warehouse import Table, Warehouse
from shared.warehousing.outbox import WarehouseOutbox

__all__ = ["KIND", "QUEUE", "REST_S", "Flusher"]

KIND, QUEUE = FLUSH_OUTBOX, ALERTS
"""The light queue: a flush is short, and a queue of its own would be one more thing to deploy."""
REST_S = 20.0


class Flusher:
    """Empties the outbox, and keeps many writes from asking many times."""

    def __init__(
        self,
        outbox: WarehouseOutbox,
        warehouse: Callable[[], Warehouse],
        tables: Callable[[], Mapping[str, Table]],
        clock: Clock,
    ) -> None:
        """Take the waiting rows, where the warehouse comes from (asked only to merge), the tables by name, and time."""
        self._outbox, self._warehouse, self._tables = outbox, warehouse, tables
        self._asker = Asker(clock, REST_S)

    def request(self, start: Callable[[], object]) -> None:
        """Call `start` unless this process has done so within the last twenty seconds; its trouble waits for the schedule."""
        self._asker.request(start)

    def run(self) -> int:
        """Merge everything that waits; return how many documents of rows were taken. Raise Transient in trouble."""
        if not self._outbox.waiting():
            return 0
        warehouse, tables, taken = self._warehouse(), self._tables(), 0
        while batch := self._outbox.flush(warehouse, tables):
            taken += batch
        return taken
