"""The documents port on SQLite: compare-and-set in one `BEGIN IMMEDIATE` transaction per commit.

A version is the number of the commit that wrote the document, so it never comes back, not even after a delete. Each
opening of the file takes a block of numbers for itself, so that numbering costs a commit nothing.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import count as count_from
from itertools import islice, repeat
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from shared.adapters.encoding import MAX_WRITES, check_writes, encoded
from shared.adapters.shapes import Index, Shapes
from shared.adapters.sqlite import statements
from shared.adapters.sqlite.connections import MEMORY, Connections, Row, Statement
from shared.adapters.sqlite.layout import bring
from shared.adapters.sqlite.tables import Content, Revision, Table
from shared.core.once import Recent
from shared.ports.documents import Conflict, Counts, Create, Delete, Key, Put, Query, Stored, Write

__all__ = ["SqliteDocuments"]

_MOST_KEYS = 500
_TRIES = 3
_FEW = 20
_NUMBERS_PER_OPENING = 2**40
_PAGE = (10, 101)
"""How many rows a query is for whose documents are remembered; longer ones walk past what is not asked for again."""
_REMEMBERED = 4096
_MOST_REMEMBERED = 4096

Kept = tuple[Key, str, Content]
"""A document as it was answered: key, version, and what its row holds."""


class SqliteDocuments:
    """A documents database in one file; safe for threads, and for several processes that were told the same shapes."""

    most_writes = 8_000

    def __init__(self, path: str | Path, shapes: Shapes) -> None:
        """Open or create the file (`:memory:` for none), its tables, and exactly the declared indexes."""
        self.counts = Counts()
        self._shapes = shapes
        self._connections = Connections(path)
        declared: dict[str, list[Index]] = {}
        for index in shapes.indexes():
            declared.setdefault(index.collection, []).append(index)
        self._tables = {collection: Table(collection, indexes) for collection, indexes in declared.items()}
        self._present = set(self._tables)
        self._recent: Recent[tuple[str, str], Kept] = Recent(_REMEMBERED)
        self._numbers = count_from(self._prepare() * _NUMBERS_PER_OPENING)

    @classmethod
    def in_memory(cls, shapes: Shapes | None = None) -> "SqliteDocuments":
        """Make an empty one that lives as long as the object."""
        return cls(MEMORY, shapes or Shapes())

    def get(self, key: Key) -> Stored | None:
        """Return one document as last committed, or None."""
        self.counts.add(reads=1)
        if not self._exists(key.collection):
            return None
        row = self._connections.row(self._table(key.collection).get, (key.id,))
        return None if row is None else _stored(key.collection, *row)

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Return those of the documents that exist, as of one moment."""
        wanted: dict[str, dict[str, None]] = {}
        for key in keys:
            wanted.setdefault(key.collection, {})[key.id] = None
        self.counts.add(reads=sum(map(len, wanted.values())))
        groups = [
            (self._table(collection), ids)
            for collection, listed in wanted.items()
            if self._exists(collection)
            for ids in _batched(listed, _MOST_KEYS)
        ]
        if not groups:
            return {}
        found = [_stored(*row) for row in self._looked_up(groups)]
        return {document.key: document for document in found}

    def _looked_up(self, groups: Sequence[tuple[Table, Sequence[str]]]) -> list[Row]:
        """Return collection, id, version, JSON and bytes of what exists."""
        together = statements.packed_groups(groups)
        if together is not None:
            rows = statements.unpacked_groups(self._connections.rows_of_all([together])[0])
            if rows is not None:
                return rows
        return [row for rows in self._connections.rows_of_all(statements.get_many(groups)) for row in rows]

    def query(self, query: Query) -> list[Stored]:
        """Return the matching documents in order; raise UndeclaredShape for a shape without its index."""
        self._shapes.check(query)
        if not self._exists(query.collection):
            self.counts.add(reads=1)
            return []
        found = self._found(query, self._table(query.collection))
        self.counts.add(reads=max(1, self._passed(query, found) + len(found)))
        return [_late(kept) for kept in found]

    def count(self, query: Query) -> int:
        """Return how many documents match, ignoring order, limit, place and offset."""
        self._shapes.check(query)
        if not self._exists(query.collection):
            self.counts.add(reads=1)
            return 0
        number = self._number(query)
        self.counts.add(reads=max(1, -(-number // 1000)))
        return number

    def commit(self, writes: Sequence[Write]) -> list[str]:
        """Apply the writes all or nothing; return the new versions in order ("" for a Delete)."""
        return self._committed(writes, MAX_WRITES)

    def commit_many(self, writes: Sequence[Write]) -> list[str]:
        """Apply up to `most_writes` writes as `commit` does."""
        return self._committed(writes, self.most_writes)

    def _committed(self, writes: Sequence[Write], most: int) -> list[str]:
        check_writes(writes, most)
        if not writes:
            return []
        for collection in {write.key.collection for write in writes}.difference(self._present):
            self._ensure(collection)
        steps = [(write, self._table(write.key.collection), _content(write)) for write in sorted(writes, key=_order)]
        number, is_many = 0, len(writes) > _FEW

        def work(connection: sqlite3.Connection) -> None:
            nonlocal number
            number = next(self._numbers)
            for write, table, content in _without_new(connection, steps, number) if is_many else steps:
                if not _applied(connection, table, write, content and Revision(content, number, is_many)):
                    raise Conflict([write.key])

        self._connections.commit(work)
        if bulk := sum(len(content[1]) for _, _, content in steps if content and content[1]):
            self._connections.wrote_bytes(bulk)
        deletes = sum(1 for _, _, content in steps if content is None)
        self.counts.add(writes=len(writes) - deletes, deletes=deletes)
        return ["" if isinstance(write, Delete) else str(number) for write in writes]

    def ping(self) -> None:
        """Do one cheap round trip; raise Transient when the file does not answer."""
        self._connections.row("SELECT number FROM openings", ())

    def close(self) -> None:
        """Close the file; later calls raise Transient."""
        self._connections.close()

    def _prepare(self) -> int:
        """Bring the file to what the index file declares; return this opening's number."""
        with self._connections.writing() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS openings (number INTEGER PRIMARY KEY)")
            (number,) = connection.execute("INSERT INTO openings VALUES (NULL) RETURNING number").fetchone()
            connection.execute("DELETE FROM openings WHERE number < ?", (number,))
            bring(connection, self._tables.values())
        return int(number)

    def _passed(self, query: Query, rows: Sequence[Kept]) -> int:
        """Return how many documents an offset went past: they are billed like those answered."""
        if not query.offset or rows:
            return query.offset
        return min(query.offset, self._number(query))

    def _number(self, query: Query) -> int:
        """Return how many documents match as of a moment at which no row was behind."""
        table = self._table(query.collection)
        statement = statements.count(query, table)
        number = self._connections.number((table.probe, ()) if table.may_be_behind else None, statement)
        if number is None:
            ((number,),) = self._answered(table, statement)
        return int(number)

    def _found(self, query: Query, table: Table) -> list[Kept]:
        """Return the documents of a query as of a moment at which no row was behind.

        Of a page first only ids and versions are asked for: what was answered at these versions before is answered again.
        """
        statement = statements.select(query, table)
        if _PAGE[0] <= query.limit <= _PAGE[1]:
            row = self._packed(table, statements.named(statement, table))
            known = self._remembered(query.collection, row) if row else []
            if known is not None:
                return known
        row = self._packed(table, statements.packed(statement, table))
        if row is None:
            return []
        rows = statements.unpacked(row)
        if rows is None:
            rows = [(name, str(version), *rest) for name, version, *rest in self._answered(table, statement)]
        found = [(Key(query.collection, name), version, (body, blobs)) for name, version, body, blobs in rows]
        for kept in found if query.limit <= _PAGE[1] else ():
            if kept[2][1] is None and len(kept[2][0]) <= _MOST_REMEMBERED:
                self._recent.keep(kept[0], kept)
        return found

    def _remembered(self, collection: str, row: Row) -> list[Kept] | None:
        """Return documents by ids and versions, None unless each is remembered at its version."""
        names = statements.unpacked_names(row)
        if names is None:
            return None
        ids, versions = names
        found = [kept for kept in self._recent.each(zip(repeat(collection), ids, strict=False)) if kept is not None]
        return found if [kept[1] for kept in found] == versions else None

    def _packed(self, table: Table, statement: Statement) -> Row | None:
        """Return the one row of a packed answer as of a moment at which no row was behind; None when nothing can match."""
        for _ in range(_TRIES if table.may_be_behind else 1):
            row = next(iter(self._connections.rows(*statement)), None)
            if row is None or not (table.may_be_behind and row[-1]):
                return row
            with self._connections.writing() as connection:
                table.settle(connection)
        with self._connections.writing() as connection:
            table.settle(connection)
            found: Row | None = connection.execute(*statement).fetchone()
            return found

    def _answered(self, table: Table, statement: Statement) -> list[Row]:
        if not table.may_be_behind:
            return self._connections.rows(*statement)
        for _ in range(_TRIES):
            behind, rows = self._connections.rows_of_query((table.probe, ()), statement)
            if not behind:
                return rows
            with self._connections.writing() as connection:
                table.settle(connection)
        with self._connections.writing() as connection:
            table.settle(connection)
            return connection.execute(*statement).fetchall()

    def _table(self, collection: str) -> Table:
        table = self._tables.get(collection)
        if table is None:
            table = self._tables[collection] = Table(collection)
        return table

    def _exists(self, collection: str) -> bool:
        """Say whether the collection has a table; another process may have made it meanwhile."""
        if collection in self._present:
            return True
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        if self._connections.row(sql, (f"d_{collection}",)) is None:
            return False
        self._present.add(collection)
        return True

    def _ensure(self, collection: str) -> None:
        if not self._exists(collection):
            with self._connections.writing() as connection:
                connection.execute(self._table(collection).ddl[0])


def _order(write: Write) -> bool:
    """Put what may conflict with others first: a commit that fails before it changed anything costs no one a second try."""
    return isinstance(write, Create)


def _content(write: Write) -> Content | None:
    """Return what stands in the columns `body` and `blobs`: the JSON, and the sizes and bytes of the bytes fields."""
    if isinstance(write, Delete):
        return None
    body, blobs = encoded(write.data, write.key)
    if not blobs:
        return body.decode(), None
    sizes = to_json({name: len(value) for name, value in blobs.items()})
    return body.decode(), b"".join([sizes, b"\n", *blobs.values()])


_Write = tuple[Write, Table, Content | None]
_New = tuple[Create | Put, Content]


class _Late(Stored):
    """A document whose JSON is read when its data is first asked for: who knows the version may know what it says."""

    __slots__ = ("content",)
    content: tuple[str, bytes | None]

    def __getattr__(self, name: str) -> Any:
        """Return the data, which is not there yet."""
        if name != "data":
            raise AttributeError(name)
        data = _data(*self.content)
        _set_data(self, data)
        return data

    def __eq__(self, other: object) -> bool:
        """Compare as any document."""
        return isinstance(other, Stored) and (self.key, self.version, self.data) == (
            other.key,
            other.version,
            other.data,
        )

    __hash__ = Stored.__hash__


_set_key, _set_data, _set_version, _set_content = (
    getattr(_Late, name).__set__ for name in ("key", "data", "version", "content")
)


def _late(kept: Kept) -> Stored:
    """Return a document of a query; its data is its own, however often what it says was remembered."""
    made = _Late.__new__(_Late)
    _set_key(made, kept[0])
    _set_version(made, kept[1])
    _set_content(made, kept[2])
    return made


def _stored(collection: str, document_id: str, version: int | str, body: str, blobs: bytes | None) -> Stored:
    return Stored(Key(collection, document_id), _data(body, blobs), str(version))


def _data(body: str, blobs: bytes | None) -> dict[str, Any]:
    data: dict[str, Any] = from_json(body, cache_strings="keys")  # values of documents seldom repeat
    if blobs is not None:
        head, _, rest = blobs.partition(b"\n")
        start = 0
        for name, size in from_json(head).items():
            data[name] = rest[start : start + size]
            start += size
    return data


def _applied(connection: sqlite3.Connection, table: Table, write: Write, made: Revision | None) -> bool:
    """Run one write; return False when its precondition fails."""
    if isinstance(write, Delete):
        return table.delete(connection, write.key.id, write.if_version)
    assert made is not None
    return table.create(connection, write, made) if isinstance(write, Create) else table.put(connection, write, made)


def _without_new(connection: sqlite3.Connection, steps: Sequence[_Write], number: int) -> list[_Write]:
    """Insert the new ones of many documents, a table at a time, and return the other writes; raise Conflict for an id taken.

    In order of their ids, because those that follow one another lie on one page.
    """
    new: dict[Table, list[_New]] = {}
    unconditional: dict[Table, list[_New]] = {}
    left: list[_Write] = []
    for write, table, content in steps:
        if isinstance(write, Create) and content:
            new.setdefault(table, []).append((write, content))
        elif isinstance(write, Put) and write.if_version is None and content:
            unconditional.setdefault(table, []).append((write, content))
        else:
            left.append((write, table, content))
    for table, some in unconditional.items():
        held = table.held_of(connection, [write.key.id for write, _ in some])
        left += [(write, table, content) for write, content in some if write.key.id in held]
        if fresh := [one for one in some if one[0].key.id not in held]:
            new.setdefault(table, []).extend(fresh)
    for table, rows in new.items():
        taken = table.create_all(connection, sorted(rows, key=_by_id), number)
        if taken:
            raise Conflict(taken)
    return left


def _by_id(one: _New) -> str:
    return one[0].key.id


def _batched(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield the ids in lists of at most `size`."""
    iterator = iter(ids)
    while batch := list(islice(iterator, size)):
        yield batch
