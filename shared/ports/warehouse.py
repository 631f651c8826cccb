"""Warehouse: history and analytics. Adapters: `shared.adapters.duckdb` and `shared.adapters.bigquery`.

Queries are GoogleSQL, one file each under `shared/<domain>/sql/`, with named parameters `@name` that the file's head
declares (`shared.ports.queries`); the DuckDB adapter transpiles them. Tables are declared once, as pydantic models
wrapped in `Table`. Column types follow the annotations: str STRING, int INT64, float FLOAT64, Decimal NUMERIC, bool BOOL,
datetime TIMESTAMP, date DATE, a list of these ARRAY (never null), anything else JSON text STRING; `X | None` is NULLABLE,
otherwise REQUIRED.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Protocol, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.core.values import dataclass

__all__ = ["Column", "Named", "PartitionUnit", "Result", "Table", "Warehouse"]

PartitionUnit = Literal["DAY", "MONTH", "YEAR"]
Mode = Literal["REQUIRED", "NULLABLE", "REPEATED"]

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "BOOL"),
    (str, "STRING"),
    (int, "INT64"),
    (float, "FLOAT64"),
    (Decimal, "NUMERIC"),
    (datetime, "TIMESTAMP"),
    (date, "DATE"),
)
_MAX_CLUSTER = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its GoogleSQL type (of an element, when REPEATED) and whether values are written as JSON text."""

    name: str
    type: str
    mode: Mode
    description: str = ""
    is_json: bool = False


@dataclass(frozen=True)
class Table:
    """A warehouse table: name, row model, unique key columns, partition (a TIMESTAMP or DATE column) and clustering.

    The partition column is part of the key, so that no statement has to look into every partition: declare one that
    never changes for a row. Queries must filter it.
    """

    name: str
    row: type[BaseModel]
    key: tuple[str, ...]
    partition_by: str | None = None
    cluster_by: tuple[str, ...] = ()
    description: str = ""
    partition_unit: PartitionUnit = "MONTH"

    def __post_init__(self) -> None:
        """Refuse a declaration that one of the engines could not keep."""
        by_name = {column.name: column for column in self.columns}
        for name in (*self.key, *self.cluster_by):
            _require(name in by_name, f"{self.name} has no column {name}")
        for name in self.key:
            _require(by_name[name].mode == "REQUIRED", f"{self.name}: key column {name} may not be null")
        _require(bool(self.key), f"{self.name} needs a key")
        _require(len(self.cluster_by) <= _MAX_CLUSTER, f"{self.name}: at most {_MAX_CLUSTER} clustering columns")
        if self.partition_by is not None:
            _require(self.partition_by in self.key, f"{self.name}: the partition column must be part of the key")
            kind = by_name[self.partition_by].type
            _require(kind in {"TIMESTAMP", "DATE"}, f"{self.name}: cannot partition by a {kind}")

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns in the order of the model's fields."""
        return tuple(_column(name, field) for name, field in self.row.model_fields.items())


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
    """An analytic database.

    Every method raises `shared.core.errors.Transient` when the database is in trouble, and `Terminal` when it refuses
    what was asked (a bad row, an unknown table).
    """

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create missing tables and add missing columns (embedded and tests; in the cloud Terraform owns them)."""
        ...

    def merge(self, table: Table, rows: Iterable[Mapping[str, Any]], *, batch_id: str) -> int:
        """Upsert rows by the table's key, all or nothing; return how many rows were sent.

        Repeating a finished `batch_id` reads no rows, changes nothing and returns the first count; a failed batch may be
        sent again. Of rows with one key the last wins. A row is a mapping by column name of str, int, float, bool,
        Decimal, aware datetime, date, None or lists of them; texts do for NUMERIC, TIMESTAMP and DATE. An absent name is
        null. Raise Terminal `bad_rows` for an unknown name, a null or a value its column cannot hold.
        """
        ...

    def query(self, named: Named, parameters: Mapping[str, Any]) -> Result:
        """Run one named query; parameter values are str, int, bool, Decimal, datetime, date, None or lists of them.

        Values come back as Python types: TIMESTAMP as aware UTC datetime, NUMERIC as Decimal, ARRAY as list (null is
        empty), STRUCT as dict. Raise ValueError when the parameters are not those the file declares.
        """
        ...

    def scan_bytes(self, named: Named, parameters: Mapping[str, Any]) -> int:
        """Return the bytes the query would scan, without running it (0 where the engine does not tell)."""
        ...

    def ping(self) -> None:
        """Do one cheap round trip; raise Transient when the warehouse does not answer."""
        ...


def _require(condition: bool, message: str) -> None:  # noqa: FBT001 - an assertion reads best with its condition first
    if not condition:
        raise ValueError(message)


def _column(name: str, field: FieldInfo) -> Column:
    annotation, nullable = _without_none(field.annotation)
    description = field.description or ""
    if get_origin(annotation) in {list, tuple} and (element := _scalar(get_args(annotation)[0])) is not None:
        _require(not nullable, f"{name}: an array column cannot be null")
        return Column(name, element, "REPEATED", description)
    mode: Mode = "NULLABLE" if nullable else "REQUIRED"
    scalar = _scalar(annotation)
    return Column(name, scalar or "STRING", mode, description, is_json=scalar is None)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """Split `X | None` into X and True; anything else comes back with False."""
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation, False
    members = [member for member in get_args(annotation) if member is not NoneType]
    nullable = len(members) < len(get_args(annotation))
    return (members[0] if len(members) == 1 else object), nullable


def _scalar(annotation: Any) -> str | None:
    """Return the GoogleSQL type of a scalar annotation (closed words are STRING), None for anything composite."""
    if get_origin(annotation) is Literal:
        annotation = type(get_args(annotation)[0])
    if not isinstance(annotation, type):
        return None
    return next((name for kind, name in _TYPES if issubclass(annotation, kind)), None)
