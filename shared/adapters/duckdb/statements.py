"""The statements of the embedded warehouse, built from declared tables."""

from shared.adapters.duckdb.dialect import COLUMN_TYPES
from shared.ports.rows import ORDINAL
from shared.ports.warehouse import Column, Table

__all__ = ["BATCHES", "add_columns", "create", "doubles", "keep_last", "merge", "quoted", "stage"]

BATCHES = """
CREATE TABLE IF NOT EXISTS _batches (
    table_name VARCHAR NOT NULL,
    batch_id VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    PRIMARY KEY (table_name, batch_id)
)
"""
_STAGE = "_stage"


def quoted(name: str) -> str:
    """Write a name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def create(table: Table) -> str:
    """Create a table; keys are kept unique by `merge` alone, because an index would slow every bulk merge."""
    columns = ", ".join(f"{quoted(column.name)} {_type(column)}{_constraint(column)}" for column in table.columns)
    return f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} ({columns})"


def add_columns(table: Table) -> list[str]:
    """Add columns declared since the file was made; old rows are null (empty, for arrays) there."""
    return [
        f"ALTER TABLE {quoted(table.name)} ADD COLUMN IF NOT EXISTS {quoted(column.name)} {_type(column)}"
        for column in table.columns
    ]


def stage(table: Table, path: str) -> str:
    """Read lines of JSON into this cursor's stage."""
    types = ", ".join(f"{quoted(column.name)}: '{_type(column)}'" for column in table.columns)
    columns = f"{{{types}, {ORDINAL}: 'BIGINT'}}"
    source = f"read_json({_text(path)}, format = 'newline_delimited', columns = {columns})"
    return f"CREATE OR REPLACE TEMP TABLE {_STAGE} AS FROM {source}"


def doubles(table: Table) -> str:
    """Count the rows of the stage whose key has more than one (cheaper than removing none)."""
    return f"FROM {_STAGE} SELECT count(*) - count(DISTINCT ({_names(table.key)}))"


def keep_last(table: Table) -> str:
    """Remove from the stage all rows of one key but the last."""
    key = _names(table.key)
    last = f"SELECT max({ORDINAL}) FROM {_STAGE} GROUP BY {key}"  # noqa: S608 - quoted names
    return f"DELETE FROM {_STAGE} WHERE {ORDINAL} NOT IN ({last})"  # noqa: S608 - the same


def merge(table: Table) -> str:
    """Upsert the stage into a table."""
    names = [column.name for column in table.columns]
    same = " AND ".join(f"kept.{quoted(name)} = stage.{quoted(name)}" for name in table.key)
    changed = ", ".join(f"{quoted(name)} = stage.{quoted(name)}" for name in names if name not in table.key)
    update = f" WHEN MATCHED THEN UPDATE SET {changed}" if changed else ""
    values = ", ".join(f"stage.{quoted(name)}" for name in names)
    insert = f" WHEN NOT MATCHED THEN INSERT ({_names(tuple(names))}) VALUES ({values})"  # noqa: S608 - quoted names
    return f"MERGE INTO {quoted(table.name)} AS kept USING {_STAGE} AS stage ON {same}{update}{insert}"


def _type(column: Column) -> str:
    return COLUMN_TYPES[column.type] + ("[]" if column.mode == "REPEATED" else "")


def _constraint(column: Column) -> str:
    return " NOT NULL" if column.mode == "REQUIRED" else ""


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(quoted(name) for name in names)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
