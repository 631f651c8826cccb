"""The warehouse port on DuckDB."""

import random
import tempfile
import threading
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.adapters.duckdb import statements
from shared.adapters.duckdb.connection import Database
from shared.adapters.duckdb.dialect import Reader, reader, to_duckdb, without_zones
from shared.core.clock import Clock
from shared.ports.queries import QueryText, parse_query
from shared.ports.rows import write_lines
from shared.ports.warehouse import Named, Result, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["DuckWarehouse"]


class DuckWarehouse:
    """An embedded warehouse in one file, or in memory with the path `:memory:`."""

    def __init__(self, path: str, clock: Clock, rng: random.Random | None = None) -> None:
        """Open the file; raise Terminal `warehouse_in_use`, naming the owner, when another process has it."""
        self._database = Database(path, clock, rng or random.Random())  # noqa: S311 - jitter is no secret
        self._merging = threading.Lock()
        self._prepared: dict[tuple[Any, ...], _Prepared] = {}
        self._database.run(lambda cursor: cursor.execute(statements.BATCHES))

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create missing tables and add missing columns."""
        for table in tables:
            self._database.transact(partial(_ensure, table))

    def merge(self, table: Table, rows: Iterable[Mapping[str, Any]], *, batch_id: str) -> int:
        """Upsert rows as one transaction that also records the batch; one merge at a time."""
        with self._merging:
            done = self._database.run(lambda cursor: _sent_before(cursor, table, batch_id))
            if done is not None:
                return done
            with tempfile.NamedTemporaryFile(suffix=".ndjson") as staged:
                sent = write_lines(table, rows, staged).sent
                if sent:
                    self._database.transact(lambda cursor: _merge(cursor, table, staged.name, (batch_id, sent)))
            return sent

    def query(self, named: Named, parameters: Mapping[str, Any]) -> Result:
        """Run one named query, translated and described once per text."""
        prepared = self._prepare(named)
        values = prepared.text.bind(parameters)

        def fetch(cursor: "DuckDBPyConnection") -> list[tuple[Any, ...]]:
            return cursor.execute(prepared.sql, values or None).fetchall()

        fetched = self._database.run(fetch)
        return Result([prepared.row(row) for row in fetched], bytes_scanned=0)

    def scan_bytes(self, named: Named, parameters: Mapping[str, Any]) -> int:
        """Check the query and return 0: DuckDB does not count."""
        self._prepare(named).text.bind(parameters)
        return 0

    def ping(self) -> None:
        """Ask for one value."""
        self._database.run(lambda cursor: cursor.execute("SELECT 1").fetchall())

    def close(self) -> None:
        """Close the file; every later call raises Transient."""
        self._database.close()

    def _prepare(self, named: Named) -> "_Prepared":
        tables = {placeholder: table.name for placeholder, table in named.tables.items()}
        key = (str(named.path), *sorted(tables.items()))
        prepared = self._prepared.get(key)
        if prepared is None:
            text = parse_query(named.path.read_text(encoding="utf-8"))
            sql = to_duckdb(text.with_tables(lambda name: f"`{tables[name]}`"), text.parameters)
            prepared = self._prepared[key] = self._database.run(lambda cursor: _Prepared(cursor, text, sql))
        return prepared


class _Prepared:
    """A translated query with how each column of its result is read."""

    def __init__(self, cursor: "DuckDBPyConnection", text: QueryText, sql: str) -> None:
        """Describe the result by binding the query without running it."""
        self.text = text
        described = cursor.execute(f"DESCRIBE {sql}", dict.fromkeys(text.parameters) or None).fetchall()
        kinds = [(column[0], column[1]) for column in described]
        readers = [(name, reader(cursor.type(kind))) for name, kind in kinds]
        self.names = [name for name, _ in kinds]
        self._readers: list[tuple[str, Reader]] = [(name, read) for name, read in readers if read is not None]
        self.sql = _zoneless(sql, kinds)

    def row(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Return one fetched row by column name, its values as the port promises them."""
        row = dict(zip(self.names, values, strict=True))
        for name, read in self._readers:
            row[name] = read(row[name])
        return row


def _zoneless(sql: str, kinds: list[tuple[str, str]]) -> str:
    """Read TIMESTAMPTZ results as UTC wall time: DuckDB wants a further package to hand out aware times."""
    if not any(without_zones(kind) != kind for _, kind in kinds):
        return sql
    columns = ", ".join(
        statements.quoted(name) if without_zones(kind) == kind else _wall_time(name, kind) for name, kind in kinds
    )
    return f"SELECT {columns} FROM ({sql})"  # noqa: S608 - our own query file, quoted names


def _wall_time(name: str, kind: str) -> str:
    return f"CAST({statements.quoted(name)} AS {without_zones(kind)}) AS {statements.quoted(name)}"


def _ensure(table: Table, cursor: "DuckDBPyConnection") -> None:
    for statement in (statements.create(table), *statements.add_columns(table)):
        cursor.execute(statement)


def _sent_before(cursor: "DuckDBPyConnection", table: Table, batch_id: str) -> int | None:
    query = "SELECT row_count FROM _batches WHERE table_name = ? AND batch_id = ?"
    found = cursor.execute(query, [table.name, batch_id]).fetchall()
    return found[0][0] if found else None


def _merge(cursor: "DuckDBPyConnection", table: Table, path: str, batch: tuple[str, int]) -> None:
    """Stage, merge and record the batch."""
    cursor.execute(statements.stage(table, path))
    if cursor.execute(statements.doubles(table)).fetchall() != [(0,)]:
        cursor.execute(statements.keep_last(table))
    cursor.execute(statements.merge(table))
    cursor.execute("INSERT INTO _batches VALUES (?, ?, ?)", [table.name, *batch])
