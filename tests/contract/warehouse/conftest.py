"""Every test of this folder runs on DuckDB in memory, on a DuckDB file, and on BigQuery's client with our own server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.adapters.duckdb.warehouse import DuckWarehouse
from shared.core.clock import ManualClock
from tests.contract.warehouse.builders import COUNTERS, READINGS, Desk
from tests.google.bigquery.server import BigQueryServer
from tests.google.bigquery.talking import a_warehouse


@pytest.fixture(params=["duckdb-memory", "duckdb-file", "bigquery-server"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """Give a warehouse with the suite's tables."""
    opened = _on_bigquery(tmp_path) if request.param == "bigquery-server" else _on_duckdb(request.param, tmp_path)
    with opened as desk:
        desk.warehouse.ensure([READINGS, COUNTERS])
        yield desk


@contextmanager
def _on_duckdb(kind: str, folder: Path) -> Iterator[Desk]:
    warehouse = DuckWarehouse(":memory:" if kind == "duckdb-memory" else str(folder / "w.duckdb"), ManualClock())
    yield Desk(warehouse, folder, warehouse.close)
    warehouse.close()


@contextmanager
def _on_bigquery(folder: Path) -> Iterator[Desk]:
    with BigQueryServer().running() as server:
        warehouse = a_warehouse(server)
        yield Desk(warehouse, folder, server.stop)
        warehouse.close()
