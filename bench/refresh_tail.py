"""Goal 13: the tail of a refresh against the bare statement.

10 000 changed rows (nine tenths known, one tenth new) are merged into a history of a million, through the port: rows as a
refresh has them, checked, staged, de-duplicated, merged, recorded. The yardstick is the bare MERGE of the same rows, staged
beforehand, in a database of its own. Both run in the same round; each round has rows of its own.
"""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import duckdb

from bench.harness import Outcome, Void, interleaved, ratio, workspace
from shared.adapters.duckdb.warehouse import DuckWarehouse
from shared.core.clock import SystemClock, instant
from shared.oos.warehouse import oos_tables
from shared.ports.warehouse import Column, Table

__all__ = ["measure"]

KEPT = 1_000_000
CHANGED = 9_000
NEW = 1_000
ROUNDS = 7
GOAL = 3.0
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_BARE = "MERGE INTO oos_stord USING staged USING (line_id, episode, opened_at) WHEN MATCHED THEN UPDATE WHEN NOT MATCHED THEN INSERT"


def measure() -> Outcome:
    """Merge in rounds and compare."""
    table = oos_tables().lines["stord"]
    folder = workspace() / "refresh_tail"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        rounds = interleaved(ROUNDS, {"bare": _bare(table, folder), "port": _port(table, folder)})
    finally:
        shutil.rmtree(folder)
    times = ratio(rounds, "port", "bare")
    shown = [f"bare {each['bare']:.0f} ms, port {each['port']:.0f} ms" for each in rounds]
    middle = median(each["port"] for each in rounds)
    value = f"{times:.2f}x the bare MERGE ({CHANGED + NEW:,} rows into {KEPT:,}: {middle:.0f} ms)"
    return Outcome(value, f"<= {GOAL:.0f}x", passed=times <= GOAL, rounds=shown)


def _port(table: Table, folder: Path) -> Callable[[], float]:
    """Return one round through the port."""
    path = folder / "port.duckdb"
    _fill(table, path).close()
    warehouse = DuckWarehouse(str(path), SystemClock())
    warehouse.ensure([table])
    turn = iter(range(ROUNDS))

    def run() -> float:
        number = next(turn)
        rows = _rows(table, number)
        began = time.perf_counter()
        warehouse.merge(table, rows, batch_id=f"round-{number}")
        return (time.perf_counter() - began) * 1000

    return run


def _bare(table: Table, folder: Path) -> Callable[[], float]:
    """Return one round of the statement alone."""
    database = _fill(table, folder / "bare.duckdb")
    turn = iter(range(ROUNDS))

    def run() -> float:
        numbers = _numbers(next(turn))
        columns = ", ".join(f"{_made(column)} AS {column.name}" for column in table.columns)
        database.execute("CREATE OR REPLACE TEMP TABLE numbers AS SELECT unnest(?) AS i", [numbers])
        database.execute(f"CREATE OR REPLACE TEMP TABLE staged AS SELECT {columns} FROM numbers")  # noqa: S608 - own words
        began = time.perf_counter()
        changed = database.execute(_BARE).fetchall()[0][0]
        took = (time.perf_counter() - began) * 1000
        if changed != CHANGED + NEW:
            raise Void(f"the bare MERGE changed {changed} rows")
        return took

    return run


def _fill(table: Table, path: Path) -> duckdb.DuckDBPyConnection:
    """Make a database with a million rows of history."""
    warehouse = DuckWarehouse(str(path), SystemClock())
    warehouse.ensure([table])
    warehouse.close()
    database = duckdb.connect(str(path))
    database.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(_made(column) for column in table.columns)
    database.execute(f"INSERT INTO {table.name} SELECT {columns} FROM range({KEPT}) AS numbers(i)")  # noqa: S608 - own words
    database.execute("CHECKPOINT")
    return database


def _numbers(turn: int) -> list[int]:
    """Choose the rows of a round: known ones at random, new ones after all before."""
    first_new = KEPT + turn * NEW
    return Random(turn).sample(range(KEPT), CHANGED) + list(range(first_new, first_new + NEW))


def _made(column: Column) -> str:
    """Return a column's value for row `i`, in SQL."""
    return {
        "STRING": f"'{column.name}-' || {'i' if column.name == 'line_id' else 'i % 1000'}",
        "INT64": "1" if column.name == "episode" else "i % 7",
        "NUMERIC": "(i % 1000) / 100",
        "TIMESTAMP": "TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(i)",
    }[column.type]


def _rows(table: Table, turn: int) -> list[dict[str, Any]]:
    """Return the same rows as a refresh has them."""
    return [{column.name: _value(column, number) for column in table.columns} for number in _numbers(turn)]


def _value(column: Column, number: int) -> Any:
    if column.type == "STRING":
        return f"{column.name}-{number if column.name == 'line_id' else number % 1000}"
    if column.type == "INT64":
        return 1 if column.name == "episode" else number % 7
    if column.type == "NUMERIC":
        return format((number % 1000) / 100, ".2f")
    return instant(_BEGIN + timedelta(seconds=number))
