"""The SQL of the documents port: one table per collection, JSON text with expression indexes.

A table per collection, because with one table for all SQLite 3.40 ignores the expression indexes until ANALYZE has seen
data. JSON's `true` and 1 are one value to SQLite and two to Firestore, as are a missing field and null: the extra
conditions below keep both stores alike.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json

from shared.adapters.shapes import Index
from shared.adapters.sqlite.connections import Statement
from shared.ports.documents import Query

__all__ = [
    "count",
    "create",
    "create_index",
    "create_table",
    "delete",
    "delete_version",
    "get",
    "get_many",
    "index_name",
    "put",
    "replace",
    "selects",
]

_COLUMNS = "id, version, body, blobs"


def create_table(collection: str) -> str:
    """Return the DDL of a collection."""
    columns = "id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, blobs BLOB"
    return f'CREATE TABLE IF NOT EXISTS "d_{collection}" ({columns})'


def index_name(index: Index) -> str:
    """Return the name under which a declared index lives in the file."""
    return f"x_{index.collection}__{'__'.join(index.fields)}"


def create_index(index: Index) -> str:
    """Return the DDL of a declared index; one direction serves both, a list field cannot be indexed here."""
    fields = ", ".join([*map(_field, index.fields), "id"])
    return f'CREATE INDEX IF NOT EXISTS "{index_name(index)}" ON "d_{index.collection}" ({fields})'


def get(collection: str) -> str:
    """Return the look-up by id."""
    return f'SELECT {_COLUMNS} FROM "d_{collection}" WHERE id = ?'  # noqa: S608 - names are checked, values bound


def get_many(collection: str, ids: Sequence[str]) -> Statement:
    """Return the look-up by several ids."""
    return f'SELECT {_COLUMNS} FROM "d_{collection}" WHERE id IN ({", ".join("?" * len(ids))})', ids  # noqa: S608 - as above


def create(collection: str) -> str:
    """Return the insert that changes no row when the id is taken."""
    return f"{_insert(collection)} NOTHING"


def put(collection: str) -> str:
    """Return the insert that replaces what is there."""
    return f"{_insert(collection)} UPDATE SET version = excluded.version, body = excluded.body, blobs = excluded.blobs"


def replace(collection: str) -> str:
    """Return the update of one version."""
    return f'UPDATE "d_{collection}" SET version = ?, body = ?, blobs = ? WHERE id = ? AND version = ?'  # noqa: S608 - as above


def delete(collection: str) -> str:
    """Return the unconditional delete."""
    return f'DELETE FROM "d_{collection}" WHERE id = ?'  # noqa: S608 - as above


def delete_version(collection: str) -> str:
    """Return the delete of one version."""
    return f"{delete(collection)} AND version = ?"


def _insert(collection: str) -> str:
    return f'INSERT INTO "d_{collection}" ({_COLUMNS}) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO'  # noqa: S608 - as above


def selects(query: Query) -> list[Statement]:
    """Return the statements whose rows, one after the other and cut to the limit, answer the query."""
    return [_select(query, *part) for part in _parts(query)]


def count(query: Query) -> Statement:
    """Return the statement that counts what matches."""
    where, parameters = _joined([*_filters(query), *_bounds(query)])
    return f'SELECT count(*) FROM "d_{query.collection}"{where}', parameters  # noqa: S608 - names are checked, values bound


Condition = tuple[str, tuple[Any, ...]]


def _select(query: Query, conditions: list[Condition], order: str) -> Statement:
    where, parameters = _joined([*_filters(query), *conditions])
    sql = f'SELECT {_COLUMNS} FROM "d_{query.collection}"{where} ORDER BY {order} LIMIT ?'  # noqa: S608 - as above
    return sql, [*parameters, query.limit + query.offset]


def _parts(query: Query) -> Iterable[tuple[list[Condition], str]]:
    """Split an ordered listing where nulls (first upwards, last downwards) would keep SQLite from seeking."""
    after, name = query.after, query.order_by
    if name is None:
        yield ([("id > ?", (after.id,))] if after else []), "id"
        return
    way, sign = ("DESC", "<") if query.descending else ("ASC", ">")
    field, bounds = _field(name), _bounds(query)
    by_value, by_id = f"{field} {way}, id {way}", f"id {way}"
    nulls: Condition = (f"{field} IS NULL AND {_type(name)} = 'null'", ())
    if after is None:
        present: Condition = (f"({field} IS NOT NULL OR {_type(name)} = 'null')", ())
        yield (bounds or [present]), by_value
    elif after.value is None:
        yield [nulls, (f"id {sign} ?", (after.id,))], by_id
        if not query.descending:
            yield [(f"{field} IS NOT NULL", ())], by_value
    else:
        mark, value = _bound_value(after.value)
        seek: Condition = (f"{field} {sign}= {mark} AND ({field}, id) {sign} ({mark}, ?)", (value, value, after.id))
        yield [*bounds, seek], by_value
        if query.descending and not bounds:
            yield [nulls], by_id


def _filters(query: Query) -> list[Condition]:
    conditions = [_equal(name, value) for name, value in query.equals]
    if query.contains:
        name, element = query.contains
        mark, value = _bound_value(element)
        match = f"atom = {mark}{_strictly((element,), 'type')}"
        elements = f"SELECT 1 FROM json_each(body, '$.{name}') WHERE {match}"  # noqa: S608 - as above
        conditions.append((f"{_type(name)} = 'array' AND EXISTS ({elements})", (value,)))
    return conditions


def _equal(name: str, wanted: object) -> Condition:
    field = _field(name)
    if wanted is None:
        return f"{field} IS NULL AND {_type(name)} = 'null'", ()
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    bound = [_bound_value(value) for value in values]
    marks = ", ".join(mark for mark, _ in bound)
    sql = f"{field} IN ({marks})" if len(bound) > 1 else f"{field} = {marks}"
    return sql + _strictly(values, _type(name)), tuple(value for _, value in bound)


def _strictly(values: tuple[Any, ...], kind: str) -> str:
    """Return the condition that keeps true apart from 1 and false from 0, where it matters."""
    if isinstance(values[0], bool):
        return f" AND {kind} = '{str(values[0]).lower()}'"
    return f" AND {kind} NOT IN ('true', 'false')" if any(value in (0, 1) for value in values) else ""


def _bounds(query: Query) -> list[Condition]:
    limits = ((">=", query.at_least), ("<=", query.at_most), ("<", query.below))
    conditions: list[Condition] = []
    for sign, limit in limits:
        if limit is not None and query.order_by is not None:
            mark, value = _bound_value(limit)
            conditions.append((f"{_field(query.order_by)} {sign} {mark}", (value,)))
    return conditions


def _bound_value(value: object) -> tuple[str, object]:
    """Return the mark and value to bind; a float goes through SQLite's own JSON reader, which rounds differently."""
    if isinstance(value, float):
        return "json_extract(?, '$[0]')", to_json([value]).decode()
    return "?", value


def _field(name: str) -> str:
    return f"json_extract(body, '$.{name}')"


def _type(name: str) -> str:
    return f"json_type(body, '$.{name}')"


def _joined(conditions: list[Condition]) -> tuple[str, list[Any]]:
    where = " AND ".join(sql for sql, _ in conditions)
    return (f" WHERE {where}" if where else ""), [value for _, values in conditions for value in values]
