"""Bringing a file to what is declared, whatever an earlier release or declaration left in it.

A table whose columns are not exactly the wanted ones is written anew, document by document, inside the transaction of the
opening: other processes wait, and a crash leaves the file as it was.

The file keeps a mark of what it was brought to, made of the declared tables and of SQLite's own count of changes of its tables.
While neither changes, an opening reads two numbers instead of asking for three hundred tables and indexes.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from zlib import crc32

from pydantic_core import from_json

from shared.adapters.sqlite.tables import Revision, Table

__all__ = ["bring"]

_STEP = 1000


def bring(connection: sqlite3.Connection, tables: Iterable[Table]) -> None:
    """Give the file these tables with their indexes and no other index; tables of other collections hold JSON alone."""
    wanted = {table.collection: table for table in tables}
    declared = "\n".join(ddl for table in wanted.values() for ddl in table.ddl)
    ((mark,),) = connection.execute("PRAGMA user_version").fetchall()
    if mark == _mark(connection, declared):
        return
    _bring(connection, wanted)
    connection.execute(f"PRAGMA user_version = {_mark(connection, declared)}")


def _mark(connection: sqlite3.Connection, declared: str) -> int:
    """Return the number of these tables in a file whose tables changed this often: never 0, which a new file has."""
    ((changes,),) = connection.execute("PRAGMA schema_version").fetchall()
    return (crc32(f"{changes}\n{declared}".encode()) & 0x7FFFFFFF) or 1


def _bring(connection: sqlite3.Connection, wanted: dict[str, Table]) -> None:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'd_*'").fetchall()
    for (name,) in found:
        collection = name.removeprefix("d_")
        _fit(connection, wanted.setdefault(collection, Table(collection)))
    declared = {name for table in wanted.values() for name in (*table.indexes, f"b_{table.collection}")}
    present = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name GLOB '[bx]_*'"
    ).fetchall()
    for (name,) in present:
        if name not in declared:
            connection.execute(f'DROP INDEX "{name}"')
    for table in wanted.values():
        for ddl in table.ddl:
            connection.execute(ddl)


def _fit(connection: sqlite3.Connection, table: Table) -> None:
    """Write the table anew unless it has exactly the columns it is to have."""
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")}
    if columns == {"id", "version", *table.columns, table.body, "blobs"}:
        return
    (body,) = (name for name in columns if name == "body" or name.startswith("body_"))
    connection.execute(f"ALTER TABLE {table.name} RENAME TO earlier")
    connection.execute(table.ddl[0])
    connection.executemany(table.insert, _rows(connection, table, body))
    connection.execute("DROP TABLE earlier")


def _rows(connection: sqlite3.Connection, table: Table, body: str) -> Iterator[tuple[object, ...]]:
    cursor = connection.execute(f"SELECT id, version, {body}, blobs FROM earlier")  # noqa: S608 - a name of our own
    while some := cursor.fetchmany(_STEP):
        for document_id, version, text, blobs in some:
            yield table.row(document_id, from_json(text), Revision((text, blobs), version))
