"""Tables are declared once: the files Terraform reads, BigQuery's client and DuckDB agree with the models."""

import json
import random
from pathlib import Path

import pytest
from google.cloud.bigquery import SchemaField

from shared.adapters.bigquery.schema import fields
from shared.adapters.bigquery.schema_files import declared_tables, files, main
from shared.adapters.duckdb.connection import Database
from shared.adapters.duckdb.dialect import COLUMN_TYPES
from shared.adapters.duckdb.statements import create
from shared.core.clock import ManualClock
from shared.ports.warehouse import Table

ROOT = Path(__file__).resolve().parents[2]
TABLES = declared_tables()


def test_the_generated_files_are_fresh() -> None:
    """Else: python -m shared.adapters.bigquery.schema_files."""
    expected = files(TABLES)

    assert {path: (ROOT / path).read_text(encoding="utf-8") for path in expected} == expected
    assert sorted(path.stem for path in (ROOT / "infra" / "schemas").glob("*.json")) == sorted(t.name for t in TABLES)


def test_the_generator_writes_where_it_is_told(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")} == set(files(TABLES))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_official_client_reads_the_schema(table: Table) -> None:
    read = [SchemaField.from_api_repr(field) for field in fields(table)]

    assert [(field.name, field.mode) for field in read] == [(column.name, column.mode) for column in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_duckdb_has_the_same_columns(table: Table, tmp_path: Path) -> None:
    database = Database(str(tmp_path / "w.duckdb"), ManualClock(), random.Random(1))
    database.cursor().execute(create(table))

    described = database.cursor().execute(f"DESCRIBE {table.name}").fetchall()

    spelled = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE", "DECIMAL(38, 9)": "DECIMAL(38,9)"}
    expected = [(one.name, COLUMN_TYPES[one.type], "NO" if one.mode == "REQUIRED" else "YES") for one in table.columns]
    assert [(row[0], row[1], row[2]) for row in described] == [
        (name, spelled.get(kind, kind), null) for name, kind, null in expected
    ]
    database.close()


def test_partition_and_cluster_columns_exist() -> None:
    layouts = json.loads(files(TABLES)["infra/tables.json"])

    for table in TABLES:
        names = {column.name for column in table.columns}
        layout = layouts[table.name]
        assert {layout["time_partitioning"]["field"], *layout["clustering"], *layout["key"]} <= names
        assert layout["require_partition_filter"] is True
