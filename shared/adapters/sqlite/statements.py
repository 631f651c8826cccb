"""The SQL of queries: over the columns of declared fields, over the JSON itself for all others.

Firestore answers a filter or an order on any single field; where no index is declared here, the field's value is computed
from the JSON in the form its column would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from shared.adapters.sqlite.tables import Table, column

if TYPE_CHECKING:
    from shared.adapters.sqlite.connections import Row, Statement
    from shared.ports.documents import Query

__all__ = [
    "count",
    "get_many",
    "named",
    "packed",
    "packed_groups",
    "select",
    "unpacked",
    "unpacked_groups",
    "unpacked_names",
]

_MOST_TOGETHER = 50
_PARTS = 4

Condition = tuple[str, tuple[Any, ...]]


def get_many(groups: Sequence[tuple[Table, Sequence[str]]]) -> list[Statement]:
    """Return the look-ups by several ids, each row with its collection first: one statement as a rule, of one moment."""
    found: list[Statement] = []
    for start in range(0, len(groups), _MOST_TOGETHER):
        some = groups[start : start + _MOST_TOGETHER]
        sql = _looked_up(tuple((table, len(ids)) for table, ids in some))
        found.append((sql, [one for _, ids in some for one in ids]))
    return found


@lru_cache(1024)
def _looked_up(groups: tuple[tuple[Table, int], ...]) -> str:
    """Return the statement of some look-ups; tables are equal only to themselves."""
    return " UNION ALL ".join(
        f"SELECT '{table.collection}', {table.read.removeprefix('SELECT ')} WHERE id IN ({', '.join('?' * number)})"
        for table, number in groups
    )


def packed_groups(groups: Sequence[tuple[Table, Sequence[str]]]) -> Statement | None:
    """Return the statement that answers look-ups by id as one row, as `packed` does; None where it takes more than one."""
    if len(groups) > _MOST_TOGETHER:
        return None
    return _packed_look_up(tuple((table, len(ids)) for table, ids in groups)), [one for _, ids in groups for one in ids]


@lru_cache(1024)
def _packed_look_up(groups: tuple[tuple[Table, int], ...]) -> str:
    found = " UNION ALL ".join(
        f"SELECT '{table.collection}' || char(31) || id || char(31) || version || char(31) || {table.body} AS found, blobs"  # noqa: S608 - as above
        f" FROM {table.name} WHERE id IN ({', '.join('?' * number)})"
        for table, number in groups
    )
    return f"SELECT group_concat(found, char(30)), count(*), count(blobs) FROM ({found})"  # noqa: S608 - as above


def unpacked_groups(rows: Sequence[Row]) -> list[Row] | None:
    """Return the rows of packed look-ups, None when they have to be asked for one by one."""
    found, number, with_bytes = rows[0] if rows else (None, 0, 0)
    if not number:
        return []
    parts = [tuple(one.split("\x1f")) for one in found.split("\x1e")]
    if with_bytes or len(parts) != number or any(len(each) != _PARTS for each in parts):
        return None
    return [(*part, None) for part in parts]


def select(query: Query, table: Table) -> Statement:
    """Return the statement whose rows, behind the first `offset`, answer the query."""
    conditions, order = _filters(query, table), "id"
    if query.order_by is None:
        conditions += [("id > ?", (query.after.id,))] if query.after else []
    else:
        field, way = _field(table, query.order_by), "DESC" if query.descending else "ASC"
        conditions += _seek(query, table, field) or _bounds(query, table) or [_compared(table, field, ">=", None)]
        order = f"{field} {way}, id {way}"
    where, parameters = _joined(conditions)
    sql = f"{table.read}{where} ORDER BY {order} LIMIT ?"
    if not query.offset:
        return sql, [*parameters, query.limit]
    return f"{sql} OFFSET ?", [*parameters, query.limit, query.offset]


def packed(statement: Statement, table: Table) -> Statement:
    """Return the statement that answers a query's rows as one row; `unpacked` takes them apart.

    Its last column says whether a row was behind at that moment, where one may be.

    Between two rows the interpreter may go to another thread, and has to be waited for again: with eight threads at work fifty
    rows took three times the processor time of one row that holds them all.
    """
    sql, parameters = statement
    lists = ", ".join(f"group_concat({name}, char(31))" for name in ("id", "version", table.body))
    return f"SELECT {lists}, count(*), count(blobs){table.is_behind} FROM ({sql})", parameters  # noqa: S608 - as above


def named(statement: Statement, table: Table) -> Statement:
    """Return the statement that answers only ids and versions of a query's rows, as one row; `unpacked_names` takes them apart."""
    sql, parameters = statement
    lists = "group_concat(id, char(31)), group_concat(version, char(31)), count(*)"
    rest = sql.removeprefix(table.read)
    return f"SELECT {lists}{table.is_behind} FROM (SELECT id, version FROM {table.name}{rest})", parameters  # noqa: S608 - as above


def unpacked(row: Row) -> list[Row] | None:
    """Return the rows of a packed answer, None when they have to be asked for one by one.

    JSON holds no control character as such; an id might, and bytes do.
    """
    ids, versions, bodies, number, with_bytes, *_ = row
    if not number:
        return []
    lists = ids.split("\x1f"), versions.split("\x1f"), bodies.split("\x1f")
    if with_bytes or any(len(each) != number for each in lists):
        return None
    return list(zip(*lists, repeat(None), strict=False))


def unpacked_names(row: Row) -> tuple[list[str], list[str]] | None:
    """Return ids and versions of an answer that holds only these, None when an id has the character between them."""
    ids, versions, number, *_ = row
    if not number:
        return [], []
    lists = ids.split("\x1f"), versions.split("\x1f")
    return lists if len(lists[0]) == number else None


def count(query: Query, table: Table) -> Statement:
    """Return the statement that counts what matches."""
    where, parameters = _joined([*_filters(query, table), *_bounds(query, table)])
    return f"SELECT count(*) FROM {table.name}{where}", parameters  # noqa: S608 - names are checked, values bound


def _seek(query: Query, table: Table, field: str) -> list[Condition]:
    """Return the conditions of going on behind a place; nothing without one."""
    if query.after is None:
        return []
    sign = "<" if query.descending else ">"
    mark, value = _bound(table, field, query.after.value)
    place: Condition = (f"({field}, id) {sign} ({mark}, ?)", (value, query.after.id))
    return [*_bounds(query, table), (f"{field} {sign}= {mark}", (value,)), place]


def _filters(query: Query, table: Table) -> list[Condition]:
    conditions = [_equal(table, name, value) for name, value in query.equals]
    if query.contains:
        name, element = query.contains
        kind = f" AND type = '{str(element).lower()}'" if isinstance(element, bool) else ""
        kind = kind or (" AND type NOT IN ('true', 'false')" if element in (0, 1) else "")
        mark, value = (
            ("json_extract(?, '$[0]')", to_json([element]).decode()) if isinstance(element, float) else ("?", element)
        )
        elements = f"SELECT 1 FROM json_each({table.body}, '$.{name}') WHERE atom = {mark}{kind}"  # noqa: S608 - as above
        conditions.append((f"json_type({table.body}, '$.{name}') = 'array' AND EXISTS ({elements})", (value,)))
    return conditions


def _equal(table: Table, name: str, wanted: object) -> Condition:
    field = _field(table, name)
    if not isinstance(wanted, tuple):
        return _compared(table, field, "=", wanted)
    bound = [_bound(table, field, value) for value in wanted]
    return f"{field} IN ({', '.join(mark for mark, _ in bound)})", tuple(value for _, value in bound)


def _bounds(query: Query, table: Table) -> list[Condition]:
    """Return the range asked for, outside of which null lies."""
    if query.order_by is None:
        return []
    field = _field(table, query.order_by)
    limits = ((">=", query.at_least), ("<=", query.at_most), ("<", query.below))
    conditions = [_compared(table, field, sign, limit) for sign, limit in limits if limit is not None]
    return [*conditions, _compared(table, field, ">", None)] if conditions and query.at_least is None else conditions


def _compared(table: Table, field: str, sign: str, value: object) -> Condition:
    mark, bound = _bound(table, field, value)
    return f"{field} {sign} {mark}", (bound,)


def _bound(table: Table, field: str, value: object) -> tuple[str, object]:
    """Return the mark and value to bind; against the JSON a float goes through SQLite's own reader, which rounds otherwise."""
    if isinstance(value, float) and field not in table.columns:
        return "json_extract(?, '$[0]')", to_json([value]).decode()
    return "?", column(value)


def _field(table: Table, name: str) -> str:
    if name in table.fields:
        return f"f_{name}"
    at = f"({table.body}, '$.{name}')"
    return (
        f"CASE json_type{at} WHEN 'null' THEN -9e999 WHEN 'true' THEN x'01' WHEN 'false' THEN x'00'"
        f" WHEN 'array' THEN x'02' WHEN 'object' THEN x'02' ELSE json_extract{at} END"
    )


def _joined(conditions: list[Condition]) -> tuple[str, list[Any]]:
    where = " AND ".join(sql for sql, _ in conditions)
    return (f" WHERE {where}" if where else ""), [value for _, values in conditions for value in values]
