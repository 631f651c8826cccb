"""An order's stored row as history rows, and what repeated refreshes leave in the warehouse."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.duckdb.warehouse import DuckWarehouse
from shared.core.clock import ManualClock
from shared.oos.rules import Outcome, reconcile
from shared.oos.source import Fate, HeldOrder, Verdict
from shared.oos.warehouse import OosLineRow, OosTables, RefreshRunRow, line_rows, oos_tables
from shared.oos.words import SOURCES
from shared.ports.warehouse import Named
from tests.unit.oos.builders import a_line, an_order

FIRST = "2026-01-15T10:00:00.000000Z"
SECOND = "2026-01-15T10:15:00.000000Z"
THIRD = "2026-01-15T10:30:00.000000Z"
HISTORY = """
SELECT sku, episode, opened_at, first_seen_at, last_seen_at, resolved_at, resolved_reason, snapshot_id
FROM {lines} WHERE opened_at >= TIMESTAMP '2020-01-01 00:00:00+00' ORDER BY sku, episode
"""


def test_an_open_order_is_one_row_per_line_with_every_column() -> None:
    outcome = _refreshed([an_order("1", a_line("A"), a_line("B"))], FIRST)

    first, second = line_rows(outcome.open["1"], "snp_1")

    assert first.keys() == OosLineRow.model_fields.keys()
    assert OosLineRow.model_validate(first).unit_price == Decimal("19.50")
    assert (first["sku"], second["sku"]) == ("A", "B")
    assert first["customer_email"] == "ada@example.com"
    assert first["resolved_at"] is first["resolved_reason"] is None


def test_a_line_that_left_earlier_keeps_its_own_time_and_no_reason_of_the_order() -> None:
    before = _refreshed([an_order("1", a_line("A"), a_line("B"))], FIRST)
    shorter = _refreshed([an_order("1", a_line("A"))], SECOND, before)
    gone = _refreshed([], THIRD, shorter, {"1": Verdict(Fate.SHIPPED)})

    rows = {row["sku"]: row for row in line_rows(gone.resolved[0], "snp_3")}

    assert (rows["A"]["resolved_at"], rows["A"]["resolved_reason"]) == (THIRD, "shipped")
    assert (rows["B"]["resolved_at"], rows["B"]["resolved_reason"]) == (SECOND, None)


def test_the_warehouse_keeps_every_episode(tmp_path: Path) -> None:
    tables, warehouse = oos_tables(), DuckWarehouse(":memory:", ManualClock())
    warehouse.ensure(tables.all())
    opened = _refreshed([an_order("1", a_line("A"))], FIRST)
    resolved = _refreshed([], SECOND, opened, {"1": Verdict(Fate.RELEASED)})
    past = {row["order_id"]: row for row in resolved.resolved}
    reopened = reconcile({}, {"1": an_order("1", a_line("A"))}, {}, past, THIRD)

    for number, row in enumerate([opened.open["1"], resolved.resolved[0], reopened.open["1"]]):
        warehouse.merge(tables.lines["shipbob"], line_rows(row, f"snp_{number}"), batch_id=f"snp_{number}")

    first, second = _history(warehouse, tables, tmp_path)
    assert first == _row(1, FIRST, FIRST, SECOND, "released", "snp_1")
    assert second == _row(2, THIRD, THIRD, None, None, "snp_2")
    warehouse.close()


def test_the_tables_take_the_names_of_the_settings() -> None:
    tables = oos_tables(stord="a", shipbob="b", last_refresh="c")

    assert [table.name for table in tables.all()] == ["a", "b", "c"]
    assert tuple(tables.lines) == SOURCES


@pytest.mark.parametrize("model", [OosLineRow, RefreshRunRow])
def test_names_that_tell_a_time_are_times(model: type[Any]) -> None:
    times = {name for name, field in model.model_fields.items() if "datetime" in str(field.annotation)}

    assert times == {name for name in model.model_fields if name.endswith("_at") or name == "purchase_date"}


def _refreshed(
    held: list[HeldOrder], now: str, before: Outcome | None = None, verdicts: dict[str, Verdict] | None = None
) -> Outcome:
    known = before.open if before else {}
    return reconcile(known, {order.order_id: order for order in held}, verdicts or {}, {}, now)


def _history(warehouse: DuckWarehouse, tables: OosTables, folder: Path) -> list[dict[str, Any]]:
    path = folder / "history.sql"
    path.write_text(HISTORY)
    return warehouse.query(Named(path, {"lines": tables.lines["shipbob"]}), {}).rows


def _row(
    episode: int, opened: str, seen: str, resolved: str | None, reason: str | None, snapshot: str
) -> dict[str, Any]:
    return {
        "sku": "A",
        "episode": episode,
        "opened_at": datetime.fromisoformat(opened),
        "first_seen_at": datetime.fromisoformat(FIRST),
        "last_seen_at": datetime.fromisoformat(seen),
        "resolved_at": datetime.fromisoformat(resolved) if resolved else None,
        "resolved_reason": reason,
        "snapshot_id": snapshot,
    }
