"""Warehouse: history and analytics. Adapters: `shared.adapters.duckdb` and `shared.adapters.bigquery`.

Queries are GoogleSQL, one file each under `shared/<domain>/sql/`, with named parameters `@name`; the DuckDB adapter
transpiles them. Tables are declared once, as pydantic models wrapped in `Table`; column types follow the annotations
(str STRING, int INT64, Decimal NUMERIC, bool BOOL, datetime TIMESTAMP, date DATE, list[...] ARRAY, anything else JSON text
STRING; `X | None` is NULLABLE, otherwise REQUIRED).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

__all__ = ["Named", "Result", "Table", "Warehouse"]


@dataclass(frozen=True)
class Table:
    """A warehouse table: name, row model, unique key columns, partition (a TIMESTAMP or DATE column) and clustering."""

    name: str
    row: type[BaseModel]
    key: tuple[str, ...]
    partition_by: str | None = None
    cluster_by: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Named:
    """One GoogleSQL query file; `tables` maps the `{placeholders}` of its text to declared tables."""

    path: Path
    tables: Mapping[str, Table]


@dataclass(frozen=True)
class Result:
    """Rows as dicts of Python values, and the bytes the engine says it scanned (0 where it does not tell)."""

    rows: list[dict[str, Any]]
    bytes_scanned: int


class Warehouse(Protocol):
    """An analytic database. Every method raises `shared.core.errors.Transient` when it is in trouble."""

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create missing tables (embedded and tests; in the cloud Terraform owns them)."""
        ...

    def merge(self, table: Table, rows: Iterable[Mapping[str, Any]], *, batch_id: str) -> int:
        """Upsert rows by the table's key, all or nothing; return how many rows were sent.

        Repeating a `batch_id` changes nothing. Of rows with one key the last wins.
        """
        ...

    def query(self, named: Named, parameters: Mapping[str, Any]) -> Result:
        """Run one named query; parameter values are str, int, bool, Decimal, datetime, date, None or lists of them."""
        ...

    def scan_bytes(self, named: Named, parameters: Mapping[str, Any]) -> int:
        """Return the bytes the query would scan, without running it (0 where the engine does not tell)."""
        ...

    def ping(self) -> None:
        """Do one cheap round trip; raise Transient when the warehouse does not answer."""
        ...
