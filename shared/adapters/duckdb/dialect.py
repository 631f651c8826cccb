"""GoogleSQL read by DuckDB: translation of statements, types and results.

sqlglot does the grammar (6.6 ms a statement, so callers keep the text). What it would get silently wrong is
corrected here (NUMERIC as DECIMAL(18, 3), untyped parameters, TIMESTAMP_DIFF, DATE_ADD) or kept out of our query files by `tests/house/test_sql.py`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType
    from sqlglot import exp

__all__ = ["COLUMN_TYPES", "Reader", "reader", "to_duckdb", "without_zones"]

Reader = Callable[[Any], Any]

COLUMN_TYPES: Mapping[str, str] = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38, 9)",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATE": "DATE",
}


def to_duckdb(sql: str, parameters: Mapping[str, str]) -> str:
    """Translate one statement; every parameter is cast to its declared GoogleSQL type.

    Raise sqlglot's UnsupportedError for what it knows it cannot translate.
    """
    import sqlglot

    tree = sqlglot.parse_one(sql, read="bigquery").transform(_exact)
    for correct in (_whole_units, _date_results, partial(_typed, parameters)):
        correct(tree)
    return tree.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)


def _exact(node: "exp.Expr") -> "exp.Expr":
    """Give NUMERIC its 38 digits and 9 decimals; DuckDB's bare DECIMAL keeps three."""
    from sqlglot import exp

    if isinstance(node, exp.DataType) and node.this is exp.DType.DECIMAL and not node.expressions:
        return exp.DataType.build("DECIMAL(38, 9)", dialect="duckdb")
    return node


def _whole_units(tree: "exp.Expr") -> None:
    """Let TIMESTAMP_DIFF count whole units elapsed; DuckDB's DATE_DIFF would count boundaries crossed."""
    from sqlglot import exp

    for node in list(tree.find_all(exp.TimestampDiff)):
        unit = exp.Literal.string(str(node.args["unit"]))
        node.replace(exp.Anonymous(this="DATE_SUB", expressions=[unit, node.expression, node.this]))


def _date_results(tree: "exp.Expr") -> None:
    """Keep DATE_ADD and DATE_SUB dates; DuckDB's date plus interval is a timestamp."""
    from sqlglot import exp

    for node in list(tree.find_all(exp.DateAdd, exp.DateSub)):
        node.replace(exp.Cast(this=node.copy(), to=exp.DataType.build("DATE")))


def _typed(parameters: Mapping[str, str], tree: "exp.Expr") -> None:
    from sqlglot import exp

    for node in list(tree.find_all(exp.Parameter)):
        declared = exp.DataType.build(parameters[node.name], dialect="bigquery").transform(_exact)
        node.replace(exp.Cast(this=node.copy(), to=declared))


def without_zones(kind: str) -> str:
    """Return the type to read a TIMESTAMPTZ result as: DuckDB would need a time zone package to hand out aware times."""
    return kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMP")


def reader(kind: "DuckDBPyType") -> Reader | None:
    """Return what turns a fetched value of this type into the port's value; None when nothing is to do."""
    if kind.id == "timestamp with time zone":
        return lambda value: value if value is None else value.replace(tzinfo=UTC)
    if kind.id == "decimal":
        return lambda value: value if value is None else _plain(value)
    if kind.id == "list":
        return _list_reader(reader(_member(kind, 0)))
    if kind.id == "struct":
        return _struct_reader({name: reader(_member(kind, at)) for at, (name, _) in enumerate(kind.children)})
    return None


def _member(kind: "DuckDBPyType", at: int) -> "DuckDBPyType":
    """Return the type of an element of a list or of a field of a struct."""
    return cast("DuckDBPyType", kind.children[at][1])


def _plain(value: Decimal) -> Decimal:
    """Drop trailing zeros, as BigQuery writes NUMERIC; arithmetic would round to the context's 28 digits."""
    text = format(value, "f")
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else value


def _list_reader(element: Reader | None) -> Reader:
    if element is None:
        return lambda values: values or []
    return lambda values: [element(value) for value in values or ()]


def _struct_reader(members: Mapping[str, Reader | None]) -> Reader:
    def read(value: Any) -> Any:
        if value is None:
            return None
        return {name: read(value[name]) if (read := members[name]) else value[name] for name in value}

    return read
