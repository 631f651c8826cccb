"""R01's workers: processes of their own that take up or start a refresh, and are killed from outside."""

import multiprocessing
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock
from shared.core.errors import Transient
from shared.core.ids import RandomIds
from shared.ports.documents import Key, Query, Stored, Write
from shared.ports.warehouse import Table
from tests.faults.jobs.volume import sized
from tests.faults.refresh.harness import World, shapes
from tests.unit.oos.builders import an_order

__all__ = ["ORDERS", "kill_after", "mark", "refresh_elsewhere", "world"]

ORDERS = sized(2_000, long=5_000)
# Children are forked off a server that never opened a database: they start as fast as a fork and as clean as a spawn.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


class Told:
    """Documents that tell every call through a pipe, so that the killer can choose a moment without sleeping."""

    def __init__(self, inner: SqliteDocuments, pipe: Connection) -> None:
        """Take the database and where to tell."""
        self._inner, self._pipe = inner, pipe
        self.counts, self.most_writes = inner.counts, inner.most_writes

    def _tell(self) -> None:
        self._pipe.send_bytes(b".")

    def get(self, key: Key) -> Stored | None:
        """Tell, then read."""
        self._tell()
        return self._inner.get(key)

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Tell, then read."""
        self._tell()
        return self._inner.get_many(keys)

    def query(self, query: Query) -> list[Stored]:
        """Tell, then read."""
        self._tell()
        return self._inner.query(query)

    def count(self, query: Query) -> int:
        """Count."""
        return self._inner.count(query)

    def commit(self, writes: Sequence[Write]) -> list[str]:
        """Tell, then write."""
        self._tell()
        return self._inner.commit(writes)

    def commit_many(self, writes: Sequence[Write]) -> list[str]:
        """Write as any commit."""
        return self.commit(writes)

    def ping(self) -> None:
        """Answer."""
        self._inner.ping()

    def close(self) -> None:
        """Close."""
        self._inner.close()


class NoWarehouse:
    """A warehouse that is down: history is not what is killed here."""

    def ensure(self, tables: Iterable[Table]) -> None:
        """Accept tables."""

    def merge(self, table: Table, rows: Iterable[Mapping[str, Any]], *, batch_id: str) -> int:
        """Do not answer."""
        raise Transient("warehouse_down", "The warehouse does not answer.")

    def close(self) -> None:
        """Close."""


def world(documents: Any, number: int) -> World:
    """Return a process's world in round `number`: later than any lease of the round before."""
    clock = ManualClock()
    clock.advance(number * 600)
    warehouse: Any = NoWarehouse()
    made = World(documents, clock=clock, ids=RandomIds(clock), warehouse=warehouse)
    made.source.page_size = ORDERS // 20
    return made


def mark(made: World, job_id: str) -> None:
    """Let the 3PL hold the orders as this job is to read them, in however many processes."""
    made.source.orders = {f"{order:05d}": an_order(f"{order:05d}", status=job_id) for order in range(ORDERS)}


def refresh_elsewhere(file: Path, number: int) -> tuple[BaseProcess, Connection]:
    """Start a worker that takes up, or starts, a refresh; return it and the pipe it tells its store calls through."""
    reading, writing = _PROCESSES.Pipe(duplex=False)
    worker = _PROCESSES.Process(target=_refresh, args=(file, number, writing))
    worker.start()
    writing.close()
    return worker, reading


def _refresh(file: Path, number: int, pipe: Connection) -> None:
    made = world(Told(SqliteDocuments(file, shapes()), pipe), number)
    job_id = made.trigger()
    mark(made, job_id)
    record = made.jobs.record(job_id)
    made.runner.deliver(record.kind, {"job_id": job_id, "step": record.step, "lease_epoch": record.step_epoch})


def kill_after(worker: BaseProcess, pipe: Connection, calls: int) -> bool:
    """Kill the worker after so many store calls; say whether it was still alive; raise when it failed by itself."""
    try:
        for _ in range(calls):
            pipe.recv_bytes()
    except EOFError:
        worker.join()
    worker.kill()
    worker.join()
    pipe.close()
    if worker.exitcode not in {0, -9}:
        message = f"the worker failed by itself: exit code {worker.exitcode}"
        raise AssertionError(message)
    return worker.exitcode != 0
