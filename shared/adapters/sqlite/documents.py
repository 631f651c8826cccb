"""The documents port on SQLite: compare-and-set in one `BEGIN IMMEDIATE` transaction per commit.

A version is the number of the commit that wrote the document, so it never comes back, not even after a delete. Each
opening of the file takes a block of numbers for itself, so that numbering costs a commit nothing.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import count as count_from
from itertools import islice
from pathlib import Path

from pydantic_core import from_json, to_json

from shared.adapters.encoding import check_writes, encoded
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import statements
from shared.adapters.sqlite.connections import MEMORY, Connections, Row
from shared.ports.documents import Conflict, Counts, Create, Delete, Key, Put, Query, Stored, Write

__all__ = ["SqliteDocuments"]

_MOST_KEYS = 500
_NUMBERS_PER_OPENING = 2**40


class SqliteDocuments:
    """A documents database in one file; safe for threads, and for several processes on one file."""

    def __init__(self, path: str | Path, shapes: Shapes) -> None:
        """Open or create the file (`:memory:` for none), its tables, and exactly the declared indexes."""
        self.counts = Counts()
        self._shapes = shapes
        self._connections = Connections(path)
        self._tables: set[str] = set()
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
        row = self._connections.row(statements.get(key.collection), (key.id,))
        return None if row is None else _stored(key.collection, row)

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Return those of the documents that exist, as of one moment."""
        wanted: dict[str, dict[str, None]] = {}
        for key in keys:
            wanted.setdefault(key.collection, {})[key.id] = None
        self.counts.add(reads=sum(map(len, wanted.values())))
        groups = [
            (collection, ids)
            for collection, listed in wanted.items()
            if self._exists(collection)
            for ids in _batched(listed, _MOST_KEYS)
        ]
        answers = self._connections.rows_of_all([statements.get_many(*group) for group in groups])
        found = (_stored(group[0], row) for group, rows in zip(groups, answers, strict=True) for row in rows)
        return {document.key: document for document in found}

    def query(self, query: Query) -> list[Stored]:
        """Return the matching documents in order; raise UndeclaredShape for a shape without its index."""
        self._shapes.check(query)
        rows: list[Row] = []
        if self._exists(query.collection):
            for sql, parameters in statements.selects(query):
                rows += self._connections.rows(sql, parameters)
                if len(rows) >= query.offset + query.limit:
                    break
        self.counts.add(reads=max(1, min(len(rows), query.offset + query.limit)))
        return [_stored(query.collection, row) for row in rows[query.offset : query.offset + query.limit]]

    def count(self, query: Query) -> int:
        """Return how many documents match, ignoring order, limit, place and offset."""
        self._shapes.check(query)
        if not self._exists(query.collection):
            self.counts.add(reads=1)
            return 0
        ((number,),) = self._connections.rows(*statements.count(query))
        self.counts.add(reads=max(1, -(-number // 1000)))
        return int(number)

    def commit(self, writes: Sequence[Write]) -> list[str]:
        """Apply the writes all or nothing; return the new versions in order ("" for a Delete)."""
        check_writes(writes)
        if not writes:
            return []
        contents = [None if isinstance(write, Delete) else _content(write) for write in writes]
        for collection in {write.key.collection for write in writes}:
            self._ensure(collection)
        with self._connections.writing() as connection:
            number = next(self._numbers)
            for write, content in zip(writes, contents, strict=True):
                if not _applied(connection, write, content, number):
                    raise Conflict([write.key])
        deletes = contents.count(None)
        self.counts.add(writes=len(writes) - deletes, deletes=deletes)
        return ["" if content is None else str(number) for content in contents]

    def ping(self) -> None:
        """Do one cheap round trip; raise Transient when the file does not answer."""
        self._connections.row("SELECT number FROM openings", ())

    def close(self) -> None:
        """Close the file; later calls raise Transient."""
        self._connections.close()

    def _prepare(self) -> int:
        """Bring the file to what the index file declares: its tables, its indexes, no others; return this opening's number."""
        wanted = {statements.index_name(index): index for index in self._shapes.indexes()}
        with self._connections.writing() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS openings (number INTEGER PRIMARY KEY)")
            (number,) = connection.execute("INSERT INTO openings VALUES (NULL) RETURNING number").fetchone()
            connection.execute("DELETE FROM openings WHERE number < ?", (number,))
            present = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name GLOB 'x_*'")
            for (name,) in present.fetchall():
                if name not in wanted:
                    connection.execute(f'DROP INDEX "{name}"')
            for index in wanted.values():
                connection.execute(statements.create_table(index.collection))
                connection.execute(statements.create_index(index))
        return int(number)

    def _exists(self, collection: str) -> bool:
        """Say whether the collection has a table; another process may have made it meanwhile."""
        if collection in self._tables:
            return True
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        if self._connections.row(sql, (f"d_{collection}",)) is None:
            return False
        self._tables.add(collection)
        return True

    def _ensure(self, collection: str) -> None:
        if not self._exists(collection):
            with self._connections.writing() as connection:
                connection.execute(statements.create_table(collection))


def _content(write: Create | Put) -> tuple[str, bytes | None]:
    """Return what stands in the columns `body` and `blobs`: the JSON, and the sizes and bytes of the bytes fields."""
    body, blobs = encoded(write.data, write.key)
    if not blobs:
        return body.decode(), None
    sizes = to_json({name: len(value) for name, value in blobs.items()})
    return body.decode(), b"".join([sizes, b"\n", *blobs.values()])


def _stored(collection: str, row: Row) -> Stored:
    document_id, version, body, blobs = row
    data = from_json(body, cache_strings="keys")  # values of documents seldom repeat
    if blobs is not None:
        head, _, rest = blobs.partition(b"\n")
        start = 0
        for name, size in from_json(head).items():
            data[name] = rest[start : start + size]
            start += size
    return Stored(Key(collection, document_id), data, str(version))


def _applied(
    connection: sqlite3.Connection, write: Write, content: tuple[str, bytes | None] | None, number: int
) -> bool:
    """Run one write; return False when its precondition fails."""
    collection, document_id = write.key
    if isinstance(write, Delete):
        if write.if_version is None:
            connection.execute(statements.delete(collection), (document_id,))
            return True
        return connection.execute(statements.delete_version(collection), (document_id, write.if_version)).rowcount == 1
    body, blobs = content or ("", None)
    if isinstance(write, Create):
        return connection.execute(statements.create(collection), (document_id, number, body, blobs)).rowcount == 1
    if write.if_version is None:
        return connection.execute(statements.put(collection), (document_id, number, body, blobs)).rowcount == 1
    parameters = (number, body, blobs, document_id, write.if_version)
    return connection.execute(statements.replace(collection), parameters).rowcount == 1


def _batched(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield the ids in lists of at most `size`."""
    iterator = iter(ids)
    while batch := list(islice(iterator, size)):
        yield batch
