"""What the queries of sales and transfer orders read: dry runs name only the partitions of the range asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.adapters.bigquery.warehouse import BigQueryWarehouse
from shared.orders.warehouse import ORDER_DAYS, ORDERS
from shared.ports.queries import parse_query
from shared.ports.warehouse import Named, Table
from shared.sales.warehouse import COUNTS, DRILLED, LATEST, LINES, SOLD_ITEMS, SUMS
from tests.google.bigquery.server import BigQueryServer
from tests.google.bigquery.talking import a_warehouse

MONTHS = 12
NAMED = {"sums": SUMS, "counts": COUNTS, "latest": LATEST, "items": SOLD_ITEMS, "lines": DRILLED, "orders": ORDER_DAYS}
YEAR = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC))
MARCH = (datetime(2025, 3, 10, tzinfo=UTC), datetime(2025, 3, 20, tzinfo=UTC))


@pytest.fixture(name="warehouse", scope="module")
def _warehouse() -> Iterator[BigQueryWarehouse]:
    """A warehouse with one row of each table in every month of a year."""
    with BigQueryServer().running() as server:
        warehouse = a_warehouse(server)
        warehouse.ensure([LINES, ORDERS])
        for table in (LINES, ORDERS):
            warehouse.merge(table, [a_row(table, month) for month in range(1, MONTHS + 1)], batch_id=table.name)
        yield warehouse
        warehouse.close()


def a_row(table: Table, month: int) -> dict[str, Any]:
    """Return a row made in that month."""
    of_kind: dict[str, Any] = {"STRING": "x", "INT64": 1, "NUMERIC": "1.00", "TIMESTAMP": None, "BOOL": True}
    row = {column.name: None if column.mode == "NULLABLE" else of_kind[column.type] for column in table.columns}
    at = datetime(2025, month, 15, tzinfo=UTC)
    times = {column.name: at for column in table.columns if column.type == "TIMESTAMP"}
    return row | times | {"id": f"r{month}"}


def scanned(warehouse: BigQueryWarehouse, named: Named, within: tuple[datetime, datetime]) -> int:
    """Ask what a query over a range would read."""
    arrays = {"store_ids": None, "product_ids": None, "category_ids": None, "regions": None, "categories": None}
    anything = dict.fromkeys(("any_store", "any_product", "any_category", "any_region"), True)
    texts = {"currency": "EUR", "zone": "UTC", "bucket": "daily", "after_id": "", "most": 5, "uncategorized": False}
    times = {"from_time": within[0], "to_time": within[1], "after_time": within[0], "late_before": within[0]}
    given: dict[str, Any] = {**arrays, **anything, **texts, **times, "newer": []}
    declared = parse_query(named.path.read_text(encoding="utf-8")).parameters
    return warehouse.scan_bytes(named, {name: given[name] for name in declared})


@pytest.mark.parametrize("named", NAMED.values(), ids=NAMED.keys())
def test_a_query_reads_the_months_of_its_range_and_no_others(warehouse: BigQueryWarehouse, named: Named) -> None:
    whole, one = scanned(warehouse, named, YEAR), scanned(warehouse, named, MARCH)

    assert whole == MONTHS * one > 0


def test_control_a_bound_that_is_not_anded_reads_everything(warehouse: BigQueryWarehouse, tmp_path: Any) -> None:
    text = (
        "-- @from_time TIMESTAMP\n-- @to_time TIMESTAMP\nSELECT id FROM {lines}\n"
        "WHERE (created_at >= @from_time AND created_at <= @to_time) OR quantity > 5 ORDER BY id\n"
    )
    (tmp_path / "loose.sql").write_text(text)
    loose = Named(tmp_path / "loose.sql", {"lines": LINES})

    assert scanned(warehouse, loose, YEAR) == scanned(warehouse, loose, MARCH) > 0
