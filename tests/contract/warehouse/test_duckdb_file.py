"""What only an embedded file promises: it survives, it has one owner, and it needs nothing from the network."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from shared.adapters.duckdb.connection import Database
from shared.adapters.duckdb.warehouse import DuckWarehouse
from shared.core.clock import ManualClock
from shared.core.errors import Terminal, Transient
from shared.ports.warehouse import Named, Table
from tests.contract.warehouse.builders import AT, COUNTERS, Counter

ALL = Path(__file__).parent / "sql" / "counters.sql"
MERGE_FOR_EVER = """
import sys
from shared.adapters.duckdb.warehouse import DuckWarehouse
from shared.core.clock import SystemClock
from tests.contract.warehouse.builders import COUNTERS
warehouse = DuckWarehouse(sys.argv[1], SystemClock())
warehouse.ensure([COUNTERS])
print("open", flush=True)
for batch in range(10_000):
    warehouse.merge(COUNTERS, [{"id": str(at), "n": batch} for at in range(200)], batch_id=str(batch))
    print(batch, flush=True)
"""


class Wider(Counter):
    """The counter of a later release."""

    note: str | None = None
    seen: list[datetime]


def test_rows_and_batches_survive_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "w.duckdb")
    first = _opened(path)
    first.merge(COUNTERS, [{"id": "a", "n": 1}], batch_id="one")
    first.close()

    second = _opened(path)

    assert second.merge(COUNTERS, [{"id": "a", "n": 2}], batch_id="one") == 1
    assert second.query(Named(ALL, {"counters": COUNTERS}), {}).rows == [{"id": "a", "n": 1}]
    second.close()


def test_a_killed_process_leaves_whole_batches(tmp_path: Path) -> None:
    path = str(tmp_path / "w.duckdb")
    told = _kill_after(path, 5)

    warehouse = _opened(path)

    kept = warehouse.query(Named(ALL, {"counters": COUNTERS}), {}).rows
    assert len(kept) == 200
    assert len({row["n"] for row in kept}) == 1
    assert kept[0]["n"] >= told
    warehouse.close()


def test_a_second_process_is_told_who_owns_the_file(tmp_path: Path) -> None:
    path = str(tmp_path / "w.duckdb")
    owner = subprocess.Popen([sys.executable, "-c", MERGE_FOR_EVER, path], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        owner.stdout.readline()
        with pytest.raises(Terminal) as refusal:
            DuckWarehouse(path, ManualClock())
    finally:
        owner.kill()
        owner.communicate(timeout=10)

    assert refusal.value.code == "warehouse_in_use"
    assert f"{path} is in use by process {owner.pid}" in refusal.value.detail
    assert "DATA_DIR" in refusal.value.detail


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    path.write_bytes(b"nothing of the kind" * 1000)

    with pytest.raises(Transient) as trouble:
        DuckWarehouse(str(path), ManualClock())

    assert str(path) in trouble.value.detail


def test_a_column_declared_later_is_added(tmp_path: Path) -> None:
    wider = Table("counters", Wider, key=("id",))
    warehouse = _opened(str(tmp_path / "w.duckdb"))
    warehouse.merge(COUNTERS, [{"id": "a", "n": 1}], batch_id="one")

    warehouse.ensure([wider])
    warehouse.merge(wider, [{"id": "b", "n": 2, "note": "new", "seen": [AT]}], batch_id="two")

    path = tmp_path / "wider.sql"
    path.write_text("SELECT id, n, note, seen FROM {counters} ORDER BY id")
    assert warehouse.query(Named(path, {"counters": wider}), {}).rows == [
        {"id": "a", "n": 1, "note": None, "seen": []},
        {"id": "b", "n": 2, "note": "new", "seen": [AT]},
    ]
    warehouse.close()


def test_only_extensions_of_the_wheel_are_loaded(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "w.duckdb"), ManualClock(), random.Random(1))
    settings = "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions' ORDER BY name"

    assert set(database.cursor().execute(settings).fetchall()) == {
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
    }
    database.close()


def test_a_conflict_of_two_writers_is_tried_again(tmp_path: Path) -> None:
    clock = ManualClock()
    database = Database(str(tmp_path / "w.duckdb"), clock, random.Random(1))
    failures = [duckdb.TransactionException("TransactionContext Error: Conflict on update!")] * 2

    assert database.run(_failing_first(failures)) == "done"
    assert len(clock.slept) == 2
    database.close()


def test_endless_conflicts_end_as_transient(tmp_path: Path) -> None:
    clock = ManualClock()
    database = Database(str(tmp_path / "w.duckdb"), clock, random.Random(1))
    failures = [duckdb.TransactionException("Conflict on update!")] * 10_000

    with pytest.raises(Transient) as trouble:
        database.run(_failing_first(failures))

    assert trouble.value.code == "warehouse_busy"
    assert clock.monotonic() <= 10
    database.close()


def _failing_first(failures: list[duckdb.TransactionException]) -> Callable[[object], str]:
    rest = iter(failures)

    def work(_: object) -> str:
        for failure in rest:
            raise failure
        return "done"

    return work


def _opened(path: str) -> DuckWarehouse:
    warehouse = DuckWarehouse(path, ManualClock())
    warehouse.ensure([COUNTERS])
    return warehouse


def _kill_after(path: str, batches: int) -> int:
    """Let another process merge batch after batch and kill it; return the last one it told of."""
    process = subprocess.Popen([sys.executable, "-c", MERGE_FOR_EVER, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(batches + 1)]
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    return int(told[-1])
