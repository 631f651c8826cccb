"""J03 for rows: whatever fails between commit, merge and forgetting, each movement is in the warehouse exactly once."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.duckdb.warehouse import DuckWarehouse
from shared.core.clock import ManualClock
from shared.core.errors import Transient
from shared.inventory.warehouse import UNITS_BY_DAY, movement_table
from shared.ports.documents import Delete, Documents, Write
from shared.ports.warehouse import Table
from shared.warehousing.flush import REST_S, Flusher
from tests.stores import on_stores
from tests.unit.inventory.builders import Stock, a_stock

TABLES = {"stock_movements": movement_table()}
one_store = on_stores("sqlite-memory", "firestore-server")


class Failing:
    """A warehouse that fails before or after its next merges."""

    def __init__(self, warehouse: DuckWarehouse, *, before: int = 0, after: int = 0) -> None:
        self.warehouse, self.before, self.after = warehouse, before, after

    def merge(self, table: Table, rows: Iterable[Mapping[str, Any]], *, batch_id: str) -> int:
        if self.before:
            self.before -= 1
            raise Transient("down", "The warehouse is down.")
        sent = self.warehouse.merge(table, rows, batch_id=batch_id)
        if self.after:
            self.after -= 1
            raise Transient("lost", "The answer was lost.")
        return sent


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckWarehouse]:
    """Give an empty warehouse with the table of movements."""
    made = DuckWarehouse(str(tmp_path / "w.duckdb"), ManualClock())
    made.ensure(TABLES.values())
    yield made
    made.close()


def _in_warehouse(warehouse: DuckWarehouse, clock: ManualClock) -> int:
    """Return the units of all movements the warehouse knows: twice one movement would be twice its units."""
    bounds = {"before": clock.now().date(), "end_time": clock.now().replace(year=2100)}
    everything = {"stores": [], "products": [], "everywhere": True, "everything": True}
    return sum(int(row["units"]) for row in warehouse.query(UNITS_BY_DAY, {**bounds, **everything}).rows)


def _busy(documents: Documents) -> tuple[Stock, ManualClock]:
    clock = ManualClock()
    stock = a_stock(documents, clock)
    for units in (5, 7, -2, 4):
        stock.adjust("cup", units)
    return stock, clock


@one_store
def test_rows_are_merged_once_and_forgotten(documents: Documents, warehouse: DuckWarehouse) -> None:
    stock, clock = _busy(documents)
    outbox = stock.ledger.outbox

    assert outbox.waiting()
    assert outbox.flush(warehouse, TABLES) == 4
    assert (outbox.flush(warehouse, TABLES), outbox.waiting()) == (0, False)
    assert _in_warehouse(warehouse, clock) == 14


@one_store
@pytest.mark.parametrize(("before", "after"), [(2, 0), (0, 2), (1, 1)])
def test_a_warehouse_in_trouble_loses_and_doubles_nothing(
    documents: Documents, warehouse: DuckWarehouse, before: int, after: int
) -> None:
    stock, clock = _busy(documents)
    failing = Failing(warehouse, before=before, after=after)
    for _ in range(2):
        with pytest.raises(Transient):
            stock.ledger.outbox.flush(failing, TABLES)  # type: ignore[arg-type]
        stock.adjust("cup", 1)

    while stock.ledger.outbox.flush(failing, TABLES):  # type: ignore[arg-type]
        pass

    assert not stock.ledger.outbox.waiting()
    assert _in_warehouse(warehouse, clock) == 16


@one_store
def test_a_crash_between_merging_and_forgetting_doubles_nothing(
    documents: Documents, warehouse: DuckWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock, clock = _busy(documents)
    commit = documents.commit

    def crashing(writes: Any) -> list[str]:
        if any(isinstance(write, Delete) for write in writes):
            raise Transient("crash", "The process died here.")
        return commit(writes)

    monkeypatch.setattr(documents, "commit", crashing)
    with pytest.raises(Transient):
        stock.ledger.outbox.flush(warehouse, TABLES)
    stock.adjust("cup", 1)
    monkeypatch.setattr(documents, "commit", commit)

    assert stock.ledger.outbox.flush(warehouse, TABLES) == 5
    assert _in_warehouse(warehouse, clock) == 15


@on_stores("sqlite-memory")
def test_control_rows_sent_beside_the_commit_are_lost_with_a_crash(
    documents: Documents, warehouse: DuckWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock, clock = _busy(documents)
    writes: list[Write] = []
    monkeypatch.setattr(stock.ledger.outbox, "rows", lambda *given: _aside(stock, writes, *given))
    stock.adjust("cup", 100)  # the process dies before what was put aside is written

    stock.ledger.outbox.flush(warehouse, TABLES)

    assert stock.level("cup")["on_hand"] == 114
    assert _in_warehouse(warehouse, clock) != 114


def _aside(stock: Stock, writes: list[Write], *given: Any) -> Write:
    writes.append(type(stock.ledger.outbox).rows(stock.ledger.outbox, *given))
    return Delete(writes[-1].key)


@on_stores("sqlite-memory")
def test_many_writes_ask_for_a_flush_once_in_a_while(documents: Documents, warehouse: DuckWarehouse) -> None:
    stock, clock = _busy(documents)
    flusher = Flusher(stock.ledger.outbox, lambda: warehouse, lambda: TABLES, clock)
    asked: list[float] = []

    for wait in (0, 1, REST_S - 1.5, 0.5, 1, REST_S):
        clock.advance(wait)
        flusher.request(lambda: asked.append(clock.monotonic()))

    assert len(asked) == 3
    assert (flusher.run(), flusher.run()) == (4, 0)


@on_stores("sqlite-memory")
def test_a_queue_in_trouble_does_not_fail_the_write(documents: Documents, warehouse: DuckWarehouse) -> None:
    stock, clock = _busy(documents)
    flusher = Flusher(stock.ledger.outbox, lambda: warehouse, lambda: TABLES, clock)

    def down() -> None:
        raise Transient("queue", "The queue is down.")

    flusher.request(down)

    assert stock.ledger.outbox.waiting()


@one_store
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 1)])
def test_rows_of_several_tables_travel_in_one_document(
    documents: Documents, warehouse: DuckWarehouse, before: int, after: int
) -> None:
    stock, clock = _busy(documents)
    outbox, tables = stock.ledger.outbox, {**TABLES, "others": replace(movement_table(), name="others")}
    warehouse.ensure(tables.values())
    outbox.flush(warehouse, TABLES)
    row = {**_row_of(stock), "id": "x"}
    stock.ledger.store.write([outbox.rows("stock_movements", "x", [row], {"others": [row, {**row, "id": "y"}]})])

    assert (outbox.flush(warehouse, TABLES), outbox.waiting()) == (0, True)  # it does not know the other table
    failing = Failing(warehouse, before=before, after=after)
    with suppress(Transient):
        outbox.flush(failing, tables)  # type: ignore[arg-type]
    assert outbox.waiting() is bool(before or after)
    assert outbox.flush(warehouse, tables) == (before or after)

    assert not outbox.waiting()
    assert _in_warehouse(warehouse, clock) == 14 + row["quantity"]
    batch = warehouse.merge(tables["others"], [row, {**row, "id": "y"}, {**row, "id": "z"}], batch_id="to count")
    assert batch == 3


def _row_of(stock: Stock) -> dict[str, Any]:
    """Return the warehouse row of a level's first movement."""
    names = {column.name for column in movement_table().columns}
    return {name: value for name, value in stock.movements("cup")[0].items() if name in names}
