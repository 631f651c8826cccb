"""The table of a collection: its JSON, and beside it one column for every field that a declared index names.

Indexes lie over these columns and not over expressions on the JSON, because SQLite leaves an index alone when an UPDATE sets
none of its columns; over expressions it writes all of them anew whenever the JSON changes. So a Put compares the fields'
values with those held and sets only what differs.

Where that would still touch many indexes (a level lies in 19 by time or quantity), the JSON alone is written and the row marked
`behind`. Rows that are behind are brought up together, which writes the pages they share once: by the commit that makes
`_TOGETHER` of them, and by every query of the collection before it looks (`settle`). Indexes hold no row whose first field is
missing, so a new row that is behind is in none of them. In a collection of more than `_MANY` indexes every change touches many:
there a Put does not even look at what the columns hold.

A column keeps what Firestore tells apart and SQLite does not: null is minus infinity (before every value, as in Firestore's
order; no document holds it), true and false are single bytes, and SQL's NULL is a field that is missing. The column of the JSON
is named after the fields: a process that was told of other fields finds no such column and fails, instead of leaving the
columns of this one as they were.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from shared.adapters.shapes import Index
    from shared.ports.documents import Create, Key, Put

__all__ = ["NULL", "Content", "Revision", "Table", "column", "indexed"]

NULL = float("-inf")
_FEW = 2
_MANY = 8
_TOGETHER = 64
_MOST_IDS = 500
_SCALARS = frozenset({str, int, float})
_OTHER = {None: NULL, True: b"\x01", False: b"\x00"}

Content = tuple[str, bytes | None]
"""The JSON, and the bytes fields with their sizes."""


class Revision(NamedTuple):
    """What a commit makes of a document; one of many documents shares pages with the others without waiting."""

    content: Content
    number: int
    is_one_of_many: bool = False


class Table:
    """The statements of one collection."""

    def __init__(self, collection: str, indexes: Iterable[Index] = ()) -> None:
        """Take the collection and its declared indexes."""
        self.collection = collection
        self.indexes = {_index_name(index): index.fields for index in indexes}
        self.fields = tuple(sorted({name for fields in self.indexes.values() for name in fields}))
        self.may_be_behind = len(self.indexes) > _FEW
        self.has_many = len(self.indexes) > _MANY
        self.columns = (*(f"f_{name}" for name in self.fields), *(("behind",) if self.may_be_behind else ()))
        self.body = f"body_{crc32(' '.join(self.columns).encode()):08x}" if self.fields else "body"
        self.name = f'"d_{collection}"'
        self.read = f"SELECT id, version, {self.body}, blobs FROM {self.name}"  # noqa: S608 - names are checked, values bound
        self.get = f"{self.read} WHERE id = ?"
        self.probe = f"SELECT 1 FROM {self.name} WHERE behind LIMIT 1"  # noqa: S608 - as above
        self.is_behind = f", EXISTS ({self.probe})" if self.may_be_behind else ""
        self._held = f"SELECT {', '.join(('rowid', 'version', *self.columns))} FROM {self.name} WHERE id = ?"  # noqa: S608 - as above
        self._late = f"SELECT {', '.join(('rowid', self.body, *self._told()))} FROM {self.name} WHERE behind"  # noqa: S608 - as above
        joined = " || char(31) || ".join(("rowid", self.body, *self._told()))
        self._late_together = f"SELECT group_concat({joined}, char(30)), count(*) FROM {self.name} WHERE behind"  # noqa: S608 - as above
        self._set = f"version = ?, {self.body} = ?, blobs = ?"
        self._late_set = f"UPDATE {self.name} SET {self._set}, behind = 1 WHERE id = ?"  # noqa: S608 - as above
        self._updates: dict[tuple[int, ...], tuple[str, bool]] = {}
        self._waiting = 0
        self.insert = f"{self._inserting()} NOTHING"

    def _told(self) -> list[str]:
        """Return what says a column's value with its type as one text, as `_told_of` does of a value."""
        return [
            f"CASE typeof({name}) WHEN 'null' THEN '' WHEN 'real' THEN iif({name} = -9e999, 'none', 'real' || quote({name}))"
            f" ELSE typeof({name}) || {name} END"
            for name in self.columns[:-1]
        ]

    def _inserting(self) -> str:
        columns = ("id", "version", self.body, "blobs", *self.columns)
        return f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({_marks(columns)}) ON CONFLICT (id) DO"  # noqa: S608 - as above

    @property
    def ddl(self) -> list[str]:
        """Return what makes the table and its indexes; one direction of an index serves both.

        The columns come before the JSON, so that reading them ends early.
        """
        columns = ("id TEXT PRIMARY KEY", "version INTEGER NOT NULL", *self.columns, f"{self.body} TEXT NOT NULL")
        made = [f"CREATE TABLE IF NOT EXISTS {self.name} ({', '.join((*columns, 'blobs BLOB'))})"]
        for name, fields in self.indexes.items():
            listed = ", ".join([*(f"f_{one}" for one in fields), "id"])
            some = f" WHERE f_{fields[0]} IS NOT NULL" if fields else ""
            made.append(f'CREATE INDEX IF NOT EXISTS "{name}" ON {self.name} ({listed}){some}')
        if self.may_be_behind:
            made.append(f'CREATE INDEX IF NOT EXISTS "b_{self.collection}" ON {self.name} (behind) WHERE behind')
        return made

    def create(self, connection: sqlite3.Connection, write: Create | Put, made: Revision) -> bool:
        """Insert a document; return False when its id is taken."""
        if not self.has_many or made.is_one_of_many:
            return connection.execute(self.insert, self.row(write.key.id, write.data, made)).rowcount == 1
        row = (*self.row(write.key.id, {}, made)[:-1], 1)
        is_new = connection.execute(self.insert, row).rowcount == 1
        if is_new:
            self._let_wait(connection)
        return is_new

    def create_all(
        self, connection: sqlite3.Connection, new: Sequence[tuple[Create | Put, Content]], number: int
    ) -> list[Key]:
        """Insert documents that share pages, by one statement; return the keys of those whose ids are taken.

        Some of the others may then have been inserted: the commit has to be undone.
        """
        rows = [self.row(write.key.id, write.data, Revision(content, number)) for write, content in new]
        if connection.executemany(self.insert, rows).rowcount == len(rows):
            return []
        held = f"SELECT 1 FROM {self.name} WHERE id = ? AND version <> ?"  # noqa: S608 - as above
        return [write.key for write, _ in new if connection.execute(held, (write.key.id, number)).fetchone()]

    def held_of(self, connection: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
        """Return which of these ids the table holds."""
        found: set[str] = set()
        for at in range(0, len(ids), _MOST_IDS):
            some = ids[at : at + _MOST_IDS]
            sql = f"SELECT id FROM {self.name} WHERE id IN ({_marks(some)})"  # noqa: S608 - as above
            found.update(each for (each,) in connection.execute(sql, some))
        return found

    def put(self, connection: sqlite3.Connection, write: Put, made: Revision) -> bool:
        """Write a whole document; return False when the version is not the one demanded."""
        if not self.fields:
            return self._put_plain(connection, write, made)
        if self.has_many:
            return self._put_late(connection, write, made)
        content, number, _ = made
        held = connection.execute(self._held, (write.key.id,)).fetchone()
        if held is None:
            return write.if_version is None and self.create(connection, write, made)
        rowid, version, *columns = held
        if write.if_version is not None and write.if_version != str(version):
            return False
        if self.may_be_behind and columns[-1]:
            connection.execute(self._update(())[0], (number, *content, rowid))
            return True
        new = indexed(write.data, self.fields)
        changed = tuple(at for at, value in enumerate(new) if value != columns[at])
        sql, is_late = self._update(changed)
        values = () if is_late else [new[at] for at in changed]
        connection.execute(sql, (number, *content, *values, rowid))
        if is_late:
            self._let_wait(connection)
        return True

    def delete(self, connection: sqlite3.Connection, document_id: str, version: str | None) -> bool:
        """Remove a document; return False when the version is not the one demanded."""
        sql = f"DELETE FROM {self.name} WHERE id = ?"  # noqa: S608 - as above
        if version is None:
            connection.execute(sql, (document_id,))
            return True
        return connection.execute(f"{sql} AND version = ?", (document_id, version)).rowcount == 1

    def settle(self, connection: sqlite3.Connection) -> None:
        """Bring up all rows that are behind."""
        self._waiting = 0
        updates: dict[tuple[int, ...], list[tuple[Any, ...]]] = {}
        for rowid, body, *held in self._behind(connection):
            new = indexed(from_json(body), self.fields)
            changed = tuple(at for at, value in enumerate(new) if _told_of(value) != held[at])
            updates.setdefault(changed, []).append((*(new[at] for at in changed), int(rowid)))
        for changed, values in updates.items():
            more = "".join(f", {self.columns[at]} = ?" for at in changed)
            connection.executemany(f"UPDATE {self.name} SET behind = NULL{more} WHERE rowid = ?", values)  # noqa: S608 - as above

    def _behind(self, connection: sqlite3.Connection) -> Sequence[Sequence[Any]]:
        """Return row, JSON and columns of what is behind: as one text, unless a value holds what parts it."""
        ((text, number),) = connection.execute(self._late_together).fetchall()
        rows = [one.split("\x1f") for one in text.split("\x1e")] if number else []
        if len(rows) == number and all(len(row) == len(self.fields) + 2 for row in rows):
            return rows
        return connection.execute(self._late).fetchall()

    def row(self, document_id: str, data: Mapping[str, Any], made: Revision) -> tuple[Any, ...]:
        """Return a document as a whole row, for `insert`."""
        behind = (None,) if self.may_be_behind else ()
        return (document_id, made.number, *made.content, *indexed(data, self.fields), *behind)

    def _update(self, changed: tuple[int, ...]) -> tuple[str, bool]:
        """Return the update of a row whose columns at these places change, and whether they are left behind."""
        known = self._updates.get(changed)
        if known is None:
            names = {self.fields[at] for at in changed}
            touched = sum(1 for fields in self.indexes.values() if names & set(fields))
            is_late = touched > _FEW
            more = ", behind = 1" if is_late else "".join(f", {self.columns[at]} = ?" for at in changed)
            sql = f"UPDATE {self.name} SET {self._set}{more} WHERE rowid = ?"  # noqa: S608 - as above
            known = self._updates[changed] = (sql, is_late)
        return known

    def _let_wait(self, connection: sqlite3.Connection) -> None:
        self._waiting += 1
        if self._waiting >= _TOGETHER:
            self.settle(connection)

    def _put_late(self, connection: sqlite3.Connection, write: Put, made: Revision) -> bool:
        content, number, _ = made
        values = (number, *content, write.key.id)
        if write.if_version is not None:
            is_there = (
                connection.execute(f"{self._late_set} AND version = ?", (*values, write.if_version)).rowcount == 1
            )
        else:
            is_there = connection.execute(self._late_set, values).rowcount == 1
            if not is_there:
                return self.create(connection, write, made)
        if is_there:
            self._let_wait(connection)
        return is_there

    def _put_plain(self, connection: sqlite3.Connection, write: Put, made: Revision) -> bool:
        content, number, _ = made
        if write.if_version is None:
            same = ", ".join(f"{name} = excluded.{name}" for name in ("version", self.body, "blobs"))
            sql = f"{self._inserting()} UPDATE SET {same}"
            return connection.execute(sql, (write.key.id, number, *content)).rowcount == 1
        sql = f"UPDATE {self.name} SET {self._set} WHERE id = ? AND version = ?"  # noqa: S608 - as above
        return connection.execute(sql, (number, *content, write.key.id, write.if_version)).rowcount == 1


def indexed(data: Mapping[str, Any], fields: Iterable[str]) -> list[Any]:
    """Return what the columns of these fields hold for a document."""
    return [column(data[name]) if name in data else None for name in fields]


def column(value: Any) -> Any:
    """Return what a column holds for a value."""
    if type(value) in _SCALARS:
        return value
    if value is None or value is True or value is False:
        return _OTHER[value]
    if type(value) is bytes:  # not in the JSON: nothing can be asked about it
        return None
    plain = from_json(to_json(value))
    return b"\x02" + to_json(plain) if isinstance(plain, list | dict) else column(plain)


def _told_of(value: Any) -> str:
    """Return what the file says of a column that holds this value; a float may be said otherwise, and is written anew then."""
    if type(value) is str:
        return f"text{value}"
    if type(value) is int:
        return f"integer{value}"
    if type(value) is bytes:
        return f"blob{value.decode()}"
    if value is None:
        return ""
    return "none" if value == NULL else f"real{value}"


def _marks(columns: Iterable[str]) -> str:
    return ", ".join("?" for _ in columns)


def _index_name(index: Index) -> str:
    return f"x_{index.collection}__{'__'.join(index.fields)}"
