"""R01: the worker is killed with SIGKILL at random points; no reader ever sees a part or a mixture."""

import os
import random
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
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

ORDERS = 1_000
KILLS = sized(15, long=50)
SEED = 20260115


class Told:
    """Documents that tell every call through a pipe, so that the killer can choose a moment without sleeping."""

    def __init__(self, inner: SqliteDocuments, pipe: int) -> None:
        """Take the database and where to tell."""
        self._inner, self._pipe = inner, pipe
        self.counts = inner.counts

    def _tell(self) -> None:
        os.write(self._pipe, b".")

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

    def ping(self) -> None:
        """Answer."""
        self._inner.ping()

    def close(self) -> None:
        """Close."""
        self._inner.close()


class NoWarehouse:
    """A warehouse that is down: DuckDB does not survive a fork, and history is not what is killed here."""

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
    made.source.page_size = 100
    return made


def mark(made: World, job_id: str) -> None:
    """Let the 3PL hold the orders as this job is to read them, in however many processes."""
    made.source.orders = {f"{order:05d}": an_order(f"{order:05d}", status=job_id) for order in range(ORDERS)}


def refresh_in_child(file: Path, number: int) -> tuple[int, int]:
    """Fork a worker that takes up, or starts, a refresh; return its pid and the pipe it tells its store calls through."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.close(reading)
        child = world(Told(SqliteDocuments(file, shapes()), writing), number)
        job_id = child.trigger()
        mark(child, job_id)
        record = child.jobs.record(job_id)
        child.runner.deliver(record.kind, {"job_id": job_id, "step": record.step, "lease_epoch": record.step_epoch})
    except BaseException as error:  # noqa: BLE001 - a child of a test ends here, whatever happened
        sys.stderr.write(f"{error!r}\n")
    finally:
        os._exit(0)


def kill_after(pid: int, pipe: int, calls: int) -> bool:
    """Kill the child after so many store calls; say whether it was still alive."""
    left = calls
    while left > 0:
        told = len(os.read(pipe, left))
        if told == 0:
            break
        left -= told
    os.kill(pid, signal.SIGKILL)
    os.close(pipe)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def one_job(seen: World) -> str | None:
    """Read as any reader would: one whole snapshot of one job; return which."""
    current = seen.reader.current("shipbob")
    if current.loaded is None:
        return None
    statuses = {row["status"] for row in current.loaded.rows}
    assert len(statuses) == 1
    assert len(current.loaded.rows) == current.loaded.header.open_orders == ORDERS
    return str(statuses.pop())


def test_kills_at_random_points_never_show_a_part(tmp_path: Path) -> None:
    """Every read between kills is one complete snapshot; afterwards a run succeeds and everyone sees it."""
    rng = random.Random(SEED)
    file = tmp_path / "store.db"
    killed, published = 0, set()
    number = 0
    while killed < KILLS:
        number += 1
        pid, pipe = refresh_in_child(file, number)
        killed += kill_after(pid, pipe, rng.randint(1, 45))
        published.add(one_job(world(SqliteDocuments(file, shapes()), number)))
    last = world(SqliteDocuments(file, shapes()), number + 1)
    job_id = last.trigger()
    mark(last, job_id)
    last.clock.advance(timedelta(minutes=20).total_seconds())
    last.jobs.sweep()
    last.drain()

    assert last.jobs.get(job_id).status == "succeeded"
    assert one_job(last) is not None
    print(f"seed {SEED}: {killed} kills in {number} rounds, {len(published)} different snapshots seen")
    assert len(published) > 1
